# SPDX-License-Identifier: BSD-3-Clause
"""Turns the canonical C++ types of the tables into C declarations, and into suffixes of names."""
import functools
import re

from tables import split_arguments

# Enumerations: abi/types.h has a 32-bit typedef of the same name.
ENUMERATIONS = {
    'IODirection', 'SCSIServiceResponse', 'SCSITaskStatus', 'SCSITaskAttribute', 'SCSITaskMode',
    'SCSITaskState', 'SCSIParallelFeature', 'SCSIParallelFeatureRequest',
    'SCSIParallelFeatureResult', 'IOHIDKind', 'IOHIDReportType', 'IOHIDElementType',
    'IOMbufServiceClass',
    'IODebuggerLockState', 'IOEthernetControllerAVBState', 'IOEthernetControllerAVBStateEvent',
    'IOEthernetControllerAVBTimeSyncSupport', 'IODMACommand_MappingOptions',
    'tIOPCIDeviceResetTypes', 'tIOPCIDeviceResetOptions', 'tIOPCILinkSpeed', 'IOPCIResetType',
    'zone_create_flags_t'}
# Structures that abi/structures.h defines; every other name is opaque.
STRUCTURES = {
    'IORPC', 'IODMACommand_Segment64', 'IODMACommand_Segment32', 'IODMACommand_SegmentOptions',
    'IOMemoryCursor_PhysicalSegment', 'IODeviceMemory_InitElement', 'IOPCIAddressSpace',
    'IOACPIAddress', 'IOStorageCompletion', 'IOStorageAttributes', 'IOPMPowerState',
    'IOInterruptVector', 'IOInterruptSource', 'IOExternalMethodArguments',
    'IOExternalMethodDispatch', 'IOExternalMethod', 'IOExternalAsyncMethod', 'IOExternalTrap',
    'IOPacketBufferConstraints', 'IOEthernetAddress', 'IOVirtualRange', 'IOPhysicalRange',
    'IOAddressRange', 'PE_Video', 'IOPixelInformation', 'IODisplayModeInformation',
    'IOTimingInformation', 'IOColorEntry', 'IOHardwareCursorDescriptor', 'IOHardwareCursorInfo',
    'SCSI_Sense_Data', 'IOPCIEvent', 'IOGBounds', 'IOGPoint', 'IOHIDCompletion', 'mach_timespec',
    'IOGSize'}
SCALARS = {'void', 'char', 'bool', 'float', 'double', 'int8_t', 'uint8_t', 'int16_t', 'uint16_t',
           'int32_t', 'uint32_t', 'int64_t', 'uint64_t', 'int', 'long', 'unsigned', 'short',
           'signed', 'const', 'volatile', 'struct'}
_INTEGERS = (('unsigned long long', 'uint64_t'), ('long long', 'int64_t'),
             ('unsigned long', None), ('unsigned int', 'uint32_t'),
             ('unsigned short', 'uint16_t'), ('unsigned char', 'uint8_t'),
             ('signed char', 'int8_t'), ('UnsignedWide', 'uint64_t'))
_RESERVED_NAMES = {'default', 'register', 'switch', 'auto', 'signed', 'me', 'unix', 'errno'}


@functools.lru_cache(maxsize=None)
def _base(text, word_is_pointer_sized):
    """A type without function pointers: C++ spelling to C spelling."""
    text = re.sub(r'OSSharedPtr<([^>]*)> ?&?', r'\1 **', text)
    text = text.replace('&', '*').replace('::', '_')
    for spelling, replacement in _INTEGERS:
        if replacement is None:
            replacement = 'unsigned_long' if word_is_pointer_sized else 'uint32_t'
        text = re.sub(rf'\b{spelling}\b', replacement, text)
    text = re.sub(r'\blong\b', 'signed_long' if word_is_pointer_sized else 'int32_t', text)
    text = re.sub(r'\bint\b', 'int32_t', text)
    text = re.sub(r'\bshort\b', 'int16_t', text)
    text = text.replace('unsigned_long', 'unsigned long').replace('signed_long', 'long')
    return re.sub(r'\* +(?=\*)', '*', text.strip())


def _join(base, name):
    if not name or base.endswith('*'):
        return base + name
    return f'{base} {name}'


def declare(text, name, opaque, wide=True):
    """The C declaration of `name` with the C++ type `text`; adds names it mentions to `opaque`.

    wide: C++ `long` is a pointer-sized word (else it is how i386 spells a 32-bit integer)."""
    text = text.strip()
    if '(^)' in text:
        return _join('void *', name)
    if '::*)' in text:
        return _join('struct member_function', name)
    match = re.match(r'^(.*?) ?\((\*+)\)\((.*)\)$', text)
    if match:
        parameters = ', '.join(a if a == '...' else declare(a, '', opaque, wide)
                               for a in split_arguments(match.group(3))) or 'void'
        return f'{declare(match.group(1), "", opaque, wide)} ({match.group(2)}{name})({parameters})'
    match = re.match(r'^(.*?) ?\(\*\) ?(\[\d+\])$', text)
    if match:
        return declare(match.group(1), f'(*{name}){match.group(2)}', opaque, wide)
    array = re.match(r'^(.*?)((?:\[\d*\])+)$', text)
    if array:
        return declare(f'{array.group(1)} *', name, opaque, wide)
    base = _base(text, wide)
    for word in set(re.findall(r'[A-Za-z_]\w*', base)):
        if word in SCALARS or word in ENUMERATIONS:
            continue
        if word not in STRUCTURES:
            opaque.add(word)
        if is_tag(word):
            base = re.sub(rf'\b{word}\b', f'struct {word}', base)
    return _join(base, name)


def is_tag(word):
    """BSD and Mach structures (task, __mbuf) are written with `struct`, I/O Kit types without."""
    return word[0] == '_' or word[0].islower()


@functools.lru_cache(maxsize=None)
def parameter(text):
    """Splits 'IOService * provider' into type and name; unnamed parameters get ''."""
    if '(' in text:  # a function pointer or block; the name follows the last parenthesis
        cut = max(text.rindex(')'), text.rfind(']')) + 1
        return text[:cut], text[cut:].strip()
    match = re.match(r'^(.*[\s*&\]])([A-Za-z_]\w*)$', text)
    builtin = {'int', 'long', 'char', 'short', 'const', 'bool', 'void', 'double', 'float'}
    if (not match or match.group(2) in builtin or
            match.group(1).strip() in ('const', 'volatile', '')):
        return text, ''
    return match.group(1).strip(), match.group(2)


def parameter_names(arguments):
    """Distinct C names for the parameters, invented where the table has none."""
    names = []
    for index, argument in enumerate(arguments):
        name = parameter(argument)[1] or f'argument{index + 1}'
        if name in _RESERVED_NAMES or name in names or name in ENUMERATIONS or name in STRUCTURES:
            name += '_'
        names.append(name)
    return names


def uses_word(text):
    """Whether the type has a plain (unsigned) long, the integer of pointer size on x86_64."""
    return bool(re.search(r'(?<!long )\blong\b(?! long)', text))


def words(arguments, fine):
    """One word an argument, to tell overloads apart: ('const OSSymbol * k', 'bool b') ->
    ['symbol', 'bool']. `fine` also names the width of integers."""
    return [_word(parameter(argument)[0], fine) for argument in arguments]


def _word(text, fine):
    text = text.replace('const ', '').replace('volatile ', '').strip()
    if '(' in text:
        return 'member' if '::*' in text else 'function'
    indirect = len(re.findall(r'[*&\[]', text))
    base = re.sub(r'[*&\s]+$|\[.*$', '', text).replace('*const', '').strip(' *')
    if base == 'char' and indirect:
        return 'cstring'
    if base == 'void':
        return 'pointer'
    if base == 'bool':
        return 'bool'
    if base in ENUMERATIONS or re.match(r'^(unsigned|char|short|int|long|UnsignedWide)\b', base):
        width = {'unsigned char': '8', 'char': '8', 'unsigned short': '16', 'short': '16',
                 'unsigned long long': '64', 'long long': '64', 'UnsignedWide': '64'}
        word = 'integer' + width.get(base, '32') if fine else 'number'
        return word + 's' if indirect else word
    word = re.sub(r'^_*(IO|OS)(?=[A-Z])|^_+', '', base.replace('::', '')).lower()
    word = {'registryentry': 'entry', 'registryplane': 'plane', 'memorydescriptor': 'memory',
            'pciaddressspace': 'space'}.get(word, word)
    return word + 's' if indirect > 1 else word
