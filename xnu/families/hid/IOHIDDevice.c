/* SPDX-License-Identifier: BSD-3-Clause */
/* IOHIDDevice.c - HID devices: their start in the order that drivers rely on, and their reports,
 * which go to the input log. Nothing above the device is there (no IOHIDInterface,
 * elements, queues, user clients). (IOHIDFamily) */
#include "abi/IOHIDDevice.h"

#include "abi/IOMemoryDescriptor.h"
#include "abi/kpi/locks.h"

#include "xnu/families/hid/hid_device_private.h"
#include "xnu/libkern/object.h"

enum { REPORT_MAX = 256, DESCRIPTOR_MAX = 4096 };

/* ---- life ----------------------------------------------------------------------------------- */

bool IOHIDDevice__init_dictionary(IOHIDDevice *me, OSDictionary *properties)
{
    if (!IOService_super_init_dictionary((IOService *)me, properties))
        return false;
    me->_reserved = kernel_allocate(sizeof *me->_reserved);
    me->_elementLock = IORecursiveLockAlloc();
    return me->_reserved && me->_elementLock;
}

void IOHIDDevice__free(IOHIDDevice *me)
{
    kernel_free(me->_reserved, sizeof *me->_reserved);
    if (me->_elementLock)
        IORecursiveLockFree(me->_elementLock);
    IOService_super_free((IOService *)me);
}

/* Asks the driver for its report descriptor, copies and reads it. */
static bool read_descriptor(IOHIDDevice *me)
{
    IOMemoryDescriptor *memory = NULL;
    bool good = false;

    if (IOHIDDevice_newReportDescriptor(me, &memory) != kIOReturnSuccess || !memory)
        return false;
    uint64_t length = IOMemoryDescriptor_getLength(memory);
    if (length > 0 && length <= DESCRIPTOR_MAX) {
        uint8_t *bytes = kernel_allocate(length);

        good = bytes && IOMemoryDescriptor_readBytes(memory, 0, bytes, length) == length &&
               report_fields_read(&me->_reserved->fields, bytes, (uint32_t)length);
        kernel_free(bytes, length);
    }
    if (!good)
        machine_log("%s: its report descriptor (%u bytes) is not in order", object_class_name(me),
                    (unsigned)length);
    object_release(memory);
    return good;
}

static bool start_device(IOHIDDevice *me, IOService *provider)
{
    if (!read_descriptor(me))
        return false;
    IORecursiveLockLock(me->_elementLock);
    me->_readyForInputReports = true;
    IORecursiveLockUnlock(me->_elementLock);
    if (!IOHIDDevice_publishProperties(me, provider))
        return false;
    if (!me->_reserved->take_report)
        input_events_add_pointer(object_class_name(me));
    IOService_registerService((IOService *)me, 0);
    return true;
}

bool IOHIDDevice__start(IOHIDDevice *me, IOService *provider)
{
    if (!IOService_super_start((IOService *)me, provider))
        return false;
    if (!IOService_getWorkLoop((IOService *)me)) {
        machine_log("%s: has no work loop", object_class_name(me));
        return false;
    }
    if (IOHIDDevice_handleStart(me, provider)) {
        if (start_device(me, provider))
            return true;
        IOService_stop((IOService *)me, provider);
        return false;
    }
    IOService_super_stop((IOService *)me, provider);
    return false;
}

void IOHIDDevice__stop(IOHIDDevice *me, IOService *provider)
{
    IOHIDDevice_handleStop(me, provider);
    IORecursiveLockLock(me->_elementLock);
    me->_readyForInputReports = false;
    IORecursiveLockUnlock(me->_elementLock);
    IOService_super_stop((IOService *)me, provider);
}

bool IOHIDDevice__handleStart(IOHIDDevice *me, IOService *provider)
{
    return true;
}

void IOHIDDevice__handleStop(IOHIDDevice *me, IOService *provider)
{
}

bool IOHIDDevice__willTerminate(IOHIDDevice *me, IOService *provider, uint32_t options)
{
    return IOService_super_willTerminate((IOService *)me, provider, options);
}

int32_t IOHIDDevice__message(IOHIDDevice *me, uint32_t type, IOService *provider, void *argument)
{
    return IOService_super_message((IOService *)me, type, provider, argument);
}

bool IOHIDDevice__setProperty_symbol_object(IOHIDDevice *me, const OSSymbol *key, OSObject *value)
{
    return IORegistryEntry_super_setProperty_symbol_object((IORegistryEntry *)me, key, value);
}

/* ---- properties ----------------------------------------------------------------------------- */

/* Takes `value` over. NULL: the key stays out. */
static void publish(IOHIDDevice *me, const char *key, void *value)
{
    if (!value)
        return;
    IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)me, key, value);
    object_release(value);
}

bool IOHIDDevice__publishProperties(IOHIDDevice *me, IOService *provider)
{
    publish(me, "Transport", IOHIDDevice_newTransportString(me));
    publish(me, "Manufacturer", IOHIDDevice_newManufacturerString(me));
    publish(me, "Product", IOHIDDevice_newProductString(me));
    publish(me, "SerialNumber", IOHIDDevice_newSerialNumberString(me));
    publish(me, "VendorID", IOHIDDevice_newVendorIDNumber(me));
    publish(me, "ProductID", IOHIDDevice_newProductIDNumber(me));
    publish(me, "VersionNumber", IOHIDDevice_newVersionNumber(me));
    publish(me, "CountryCode", IOHIDDevice_newCountryCodeNumber(me));
    publish(me, "LocationID", IOHIDDevice_newLocationIDNumber(me));
    publish(me, "PrimaryUsage", IOHIDDevice_newPrimaryUsageNumber(me));
    publish(me, "PrimaryUsagePage", IOHIDDevice_newPrimaryUsagePageNumber(me));
    return true;
}

#define NOTHING(type, method)                        \
    type *IOHIDDevice__##method(IOHIDDevice *me)     \
    {                                                \
        return NULL;                                 \
    }

NOTHING(OSString, newTransportString)
NOTHING(OSString, newManufacturerString)
NOTHING(OSString, newProductString)
NOTHING(OSString, newSerialNumberString)
NOTHING(OSNumber, newVendorIDNumber)
NOTHING(OSNumber, newProductIDNumber)
NOTHING(OSNumber, newVersionNumber)
NOTHING(OSNumber, newSerialNumber)
NOTHING(OSNumber, newCountryCodeNumber)
NOTHING(OSNumber, newLocationIDNumber)
NOTHING(OSNumber, newVendorIDSourceNumber)

OSNumber *IOHIDDevice__newPrimaryUsageNumber(IOHIDDevice *me)
{
    return OSNumber_withNumber_number(me->_reserved->fields.primary_usage, 32);
}

OSNumber *IOHIDDevice__newPrimaryUsagePageNumber(IOHIDDevice *me)
{
    return OSNumber_withNumber_number(me->_reserved->fields.primary_page, 32);
}

/* ---- reports -------------------------------------------------------------------------------- */

int32_t IOHIDDevice__handleReport(IOHIDDevice *me, IOMemoryDescriptor *report, IOHIDReportType type,
                                  uint32_t options)
{
    uint8_t bytes[REPORT_MAX];
    int32_t result = kIOReturnSuccess;

    if (!report)
        return kIOReturnBadArgument;
    uint64_t length = IOMemoryDescriptor_getLength(report);
    if (length == 0 || length > sizeof bytes)
        return kIOReturnBadArgument;
    IORecursiveLockLock(me->_elementLock);
    if (!me->_readyForInputReports)
        result = kIOReturnOffline;
    else if (IOMemoryDescriptor_readBytes(report, 0, bytes, length) != length)
        result = kIOReturnNoMemory;
    else if (type == REPORT_TYPE_INPUT && me->_reserved->take_report)
        me->_reserved->take_report(me, bytes, (uint32_t)length);
    else if (type == REPORT_TYPE_INPUT)
        input_events_pointer(&me->_reserved->pointer, &me->_reserved->fields, bytes,
                             (uint32_t)length);
    IORecursiveLockUnlock(me->_elementLock);
    return result;
}

int32_t IOHIDDevice__handleReportWithTime(IOHIDDevice *me, uint64_t time,
                                          IOMemoryDescriptor *report, IOHIDReportType type,
                                          uint32_t options)
{
    return IOHIDDevice_handleReport(me, report, type, options);
}

int32_t IOHIDDevice__getReport(IOHIDDevice *me, IOMemoryDescriptor *report, IOHIDReportType type,
                               uint32_t options)
{
    return kIOReturnUnsupported;
}

int32_t IOHIDDevice__setReport(IOHIDDevice *me, IOMemoryDescriptor *report, IOHIDReportType type,
                               uint32_t options)
{
    return kIOReturnUnsupported;
}
