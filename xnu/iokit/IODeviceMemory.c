/* SPDX-License-Identifier: BSD-3-Clause */
/* IODeviceMemory.c - ranges of physical addresses that belong to a device. As in the kernel, the
 * factories give plain memory descriptors; the class only has a name. */
#include "abi/IODeviceMemory.h"
#include "abi/IOSubMemoryDescriptor.h"

#include "xnu/libkern/object.h"

IODeviceMemory *IODeviceMemory_withRange(uint64_t start, uint64_t length)
{
    return (IODeviceMemory *)IOMemoryDescriptor_withAddressRange(
        start, length, kIODirectionNone | kIOMemoryMapperNone, NULL);
}

IODeviceMemory *IODeviceMemory_withSubRange(IODeviceMemory *of, uint64_t offset, uint64_t length)
{
    return (IODeviceMemory *)IOSubMemoryDescriptor_withSubRange((IOMemoryDescriptor *)of, offset,
                                                                length, kIODirectionNone);
}

OSArray *IODeviceMemory_arrayFromList(IODeviceMemory_InitElement *list, uint32_t count)
{
    OSArray *array = OSArray_withCapacity(count);

    for (uint32_t i = 0; array && i < count; i++) {
        IODeviceMemory *range = IODeviceMemory_withRange(list[i].start, list[i].length);
        if (!range)
            continue;
        IOMemoryDescriptor_setTag((IOMemoryDescriptor *)range, list[i].tag);
        OSArray_setObject_metaclassbase(array, (const OSMetaClassBase *)range);
        object_release(range);
    }
    return array;
}
