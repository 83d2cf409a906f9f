# SPDX-License-Identifier: BSD-3-Clause
"""Gives every member of every class its C name: the method's own name where that is unambiguous
within the class chain, else with a suffix made of the argument types. The names are the same on
both architectures and in all releases."""
import re

from c_types import words
from tables import ARCHITECTURES

OUTSIDE = ('static', 'nonvirtual')


def cxx_only(member):
    """Overloads for smart pointers and blocks: C has the plain ones beside them."""
    return any('OSSharedPtr' in text or '(^)' in text
               for text in member.arguments + [member.returns])


class Names:
    def __init__(self, tables):
        self.tables = tables
        self.slot = {a: {} for a in ARCHITECTURES}     # (class, slot) -> name
        self.symbol = {a: {} for a in ARCHITECTURES}   # (class, symbol) -> name, outside the table
        self.by_name = {a: {} for a in ARCHITECTURES}  # (class, name) -> [member]
        inherited = {None: (set(), set())}             # class -> methods and names of its slots
        for own in tables.by_depth():
            methods, taken = (set(s) for s in inherited[own.parent])
            self._name_class(own, methods, taken)
            inherited[own.name] = methods, taken

    def _name_class(self, own, methods, taken):
        groups = {}                                    # method -> [(architecture, member)]
        new = {a: self.tables.new_slots(a, own.name) for a in ARCHITECTURES}
        for architecture in ARCHITECTURES:
            members = list(new[architecture].values()) + self.outside(architecture, own)
            for member in members:
                groups.setdefault(member.method, []).append((architecture, member))
        for method, members in groups.items():
            self._name_group(own, method, members, method in methods, taken)
        for architecture in ARCHITECTURES:
            methods.update(m.method for m in new[architecture].values())
            taken.update(self.slot[architecture][own.name, slot] for slot in new[architecture])

    def _name_group(self, own, method, members, inherited, taken):
        for fine in (False, True):
            suffixes = self._suffixes([words(m.arguments, fine) for _, m in members], inherited)
            same_name = {}
            for (architecture, member), suffix in zip(members, suffixes):
                name = '_'.join([method] + suffix)
                if member.slot is not None and name in taken:
                    name = f'{method}_{re.sub("^(IO|OS)", "", own.name).lower()}'
                same_name.setdefault((architecture, name), []).append(member)
            if all(len(same) == 1 for same in same_name.values()):
                break
        for (architecture, name), same in same_name.items():
            # What still collides is one member whose signature changed: the newest keeps the name.
            same.sort(key=lambda m: (m.slot is None, -m.since))
            for index, member in enumerate(same):
                until = member.until_text.replace('.', '_').replace('-', 'now')
                self._set(architecture, own, member, f'{name}_until_{until}' if index else name)

    @staticmethod
    def _suffixes(overloads, inherited):
        """The words that tell the overloads apart: what all begin with is left out, and so is the
        tail that is not needed. An overload of an inherited method keeps all its words."""
        distinct = {tuple(o) for o in overloads}
        if inherited:
            return overloads
        if len(distinct) == 1:
            return [[] for _ in overloads]
        common = 0
        while len({o[common:common + 1] for o in distinct}) == 1:
            common += 1
        length = 1
        while len({o[common:common + length] for o in distinct}) < len(distinct):
            length += 1
        return [o[common:common + length] for o in overloads]

    def _set(self, architecture, own, member, name):
        self.by_name[architecture].setdefault((own.name, name), []).append(member)
        if member.slot is not None:
            self.slot[architecture][own.name, member.slot] = name
        else:
            self.symbol[architecture][own.name, member.symbol] = name

    def outside(self, architecture, own):
        """Static and non-virtual members, the newest row of each symbol."""
        newest = {}
        for member in own.members[architecture]:
            if member.kind in OUTSIDE and not cxx_only(member):
                if member.symbol not in newest or newest[member.symbol].since < member.since:
                    newest[member.symbol] = member
        return list(newest.values())

    def of_slot(self, architecture, name, slot):
        """The vtable member's name, given by the class that introduced the slot."""
        for own in self.tables.chain(name):
            found = self.slot[architecture].get((own.name, slot))
            if found:
                return found, own.name
        raise KeyError((architecture, name, slot))
