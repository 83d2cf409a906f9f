# SPDX-License-Identifier: BSD-3-Clause
"""Reads abi/tables/*.tsv: classes, the occupants of their vtable slots by release, fields."""
import csv
import functools
import os
import re

ARCHITECTURES = ('x86_64', 'i386')


def release_number(text):
    """'10.6.8' -> 100608, '12.0.1' -> 120001."""
    parts = [int(part) for part in text.split('.')] + [0, 0]
    return parts[0] * 10000 + parts[1] * 100 + parts[2]


def read_table(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8') as file:
        return list(csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE))


def split_arguments(text):
    """Splits an argument list at its top-level commas; 'void' and '-' are the empty list."""
    if text in ('void', '-', ''):
        return []
    parts, depth, current = [], 0, ''
    for character in text:
        depth += (character in '(<[') - (character in ')>]')
        if character == ',' and depth == 0:
            parts.append(current.strip())
            current = ''
        else:
            current += character
    return parts + [current.strip()]


def length_prefixed(name):
    return f'{len(name)}{name}'


class Member:
    """One row of a vtable table: the occupant of a slot, or a member outside the table."""

    def __init__(self, row):
        self.owner = row['class']
        self.slot = None if row['slot'] == '-' else int(row['slot'])
        self.symbol = row['symbol']
        self.kind = row['kind']
        self.since = release_number(row['since'])
        self.until = 999999 if row['until'] == '-' else release_number(row['until'])
        self.since_text, self.until_text = row['since'], row['until']
        self.returns = row['returns']
        self.arguments = split_arguments(row['arguments'])
        self.const = row['const'] == 'const'
        self.exported_by = row['exported_by']
        self.method = self._method_name()

    def _method_name(self):
        rest = re.sub(r'^__ZNK?', '', self.symbol)
        match = re.match(r'(\d+)', rest)
        rest = rest[match.end() + int(match.group(1)):]
        special = {'D0': 'deleting_destructor', 'D1': 'complete_destructor', 'D2': 'destruct',
                   'C1': 'construct_complete', 'C2': 'construct', 'nw': 'operator_new',
                   'dl': 'operator_delete'}
        if rest[:2] in special:
            return special[rest[:2]]
        match = re.match(r'(\d+)', rest)
        if not match:
            return f'operator_{rest[:2]}'
        name = rest[match.end():match.end() + int(match.group(1))]
        pad = re.match(r'_RESERVED(.*?)(\d+)$', name)
        if pad:
            return f'reserved_{pad.group(1)}_{pad.group(2)}'
        return 'internal' + name if name[0] == '_' else name

    def in_release(self, release):
        return self.since <= release <= self.until

    def readable(self):
        """The member as a C++ declaration would name it, for messages."""
        method = {'complete_destructor': f'~{self.owner} [complete]', 'destruct': f'~{self.owner}',
                  'deleting_destructor': f'~{self.owner} [deleting]'}.get(self.method, self.method)
        types = ', '.join(re.sub(r'(?<=[ *&])\w+$', '', a).strip() if ' ' in a else a
                          for a in self.arguments)
        return f'{self.owner}::{method}({types})'


class Class:
    def __init__(self, row):
        self.name = row['class']
        self.parent = None if row['superclass'] == '-' else row['superclass']
        self.component = row['component']
        self.row = row
        self.members = {architecture: [] for architecture in ARCHITECTURES}
        self.fields = []

    def versions(self, column):
        """[(first release, last release, value)] of a by-version column such as sizeof_x86_64."""
        result = []
        for part in self.row[column].split(';'):
            value, _, span = part.partition('@')
            if value == '-':
                continue
            first, _, last = span.partition('-')
            result.append((release_number(first) if first else 0,
                           release_number(last) if last else 999999, int(value)))
        return result

    def exists(self, architecture):
        return self.row[f'max_sizeof_{architecture}'] != '-'


class Tables:
    def __init__(self, folder):
        self.folder = folder
        self.classes = {}
        for row in read_table(folder, 'classes.tsv'):
            self.classes[row['class']] = Class(row)
        for architecture in ARCHITECTURES:
            for row in read_table(folder, f'vtables-{architecture}.tsv'):
                self.classes[row['class']].members[architecture].append(Member(row))
        for row in read_table(folder, 'fields.tsv'):
            self.classes[row['class']].fields.append(row)
        self._slots = {}

    def chain(self, name):
        """The class and its ancestors, nearest first."""
        result = []
        while name:
            result.append(self.classes[name])
            name = self.classes[name].parent
        return result

    def by_depth(self):
        """All classes, superclasses before subclasses."""
        return sorted(self.classes.values(), key=lambda c: (len(self.chain(c.name)), c.name))

    def slots(self, architecture, name, release):
        """{slot: occupant} of the class's table in that release."""
        key = (architecture, name, release)
        if key not in self._slots:
            own = self.classes[name]
            slots = dict(self.slots(architecture, own.parent, release)) if own.parent else {}
            for member in own.members[architecture]:
                if member.slot is not None and member.in_release(release):
                    slots[member.slot] = member
            self._slots[key] = slots
        return self._slots[key]

    @functools.lru_cache(maxsize=None)
    def new_slots(self, architecture, name):
        """{slot: newest occupant} for the slots that this class adds to its superclass's table."""
        own = self.classes[name]
        inherited = self.slot_count(architecture, own.parent) if own.parent else 0
        result = {}
        for member in own.members[architecture]:
            if member.slot is not None and member.slot >= inherited:
                if member.slot not in result or result[member.slot].since < member.since:
                    result[member.slot] = member
        return dict(sorted(result.items()))

    @functools.lru_cache(maxsize=None)
    def slot_count(self, architecture, name):
        """The largest number of slots in any release."""
        return max([count for _, _, count in self.slot_counts(architecture, name)], default=0)

    def slot_counts(self, architecture, name):
        return self.classes[name].versions(f'slots_{architecture}')
