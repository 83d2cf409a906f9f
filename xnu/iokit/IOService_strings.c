/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts and errno values of I/O Kit results (xnu iokit/Kernel/IOService.cpp). */
#include "abi/constants/errno.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/service.h"

/* Of Darwin, beyond those in abi/constants/errno.h. */
#define ENOLCK 77

struct result_name {
    int32_t result;
    const char *text;
    int32_t errno_value;
};

static const struct result_name names[] = {
    {kIOReturnSuccess, "success", 0},
    {kIOReturnError, "general error", EIO},
    {kIOReturnNoMemory, "memory allocation error", ENOMEM},
    {kIOReturnNoResources, "resource shortage", EAGAIN},
    {kIOReturnIPCError, "Mach IPC failure", EIO},
    {kIOReturnNoDevice, "no such device", ENXIO},
    {kIOReturnNotPrivileged, "privilege violation", EACCES},
    {kIOReturnBadArgument, "invalid argument", EINVAL},
    {kIOReturnLockedRead, "device is read locked", ENOLCK},
    {kIOReturnLockedWrite, "device is write locked", ENOLCK},
    {kIOReturnExclusiveAccess, "device is exclusive access", EBUSY},
    {kIOReturnBadMessageID, "bad IPC message ID", EIO},
    {kIOReturnUnsupported, "unsupported function", EOPNOTSUPP},
    {kIOReturnVMError, "virtual memory error", EIO},
    {kIOReturnInternalError, "internal driver error", EIO},
    {kIOReturnIOError, "I/O error", EIO},
    {kIOReturnCannotLock, "cannot acquire lock", ENOLCK},
    {kIOReturnNotOpen, "device is not open", ENXIO},
    {kIOReturnNotReadable, "device is not readable", EACCES},
    {kIOReturnNotWritable, "device is not writeable", EROFS},
    {kIOReturnNotAligned, "alignment error", EIO},
    {kIOReturnBadMedia, "media error", EIO},
    {kIOReturnStillOpen, "device is still open", EBUSY},
    {kIOReturnRLDError, "rld failure", EIO},
    {kIOReturnDMAError, "DMA failure", EIO},
    {kIOReturnBusy, "device is busy", EBUSY},
    {kIOReturnTimeout, "I/O timeout", ETIMEDOUT},
    {kIOReturnOffline, "device is offline", ENXIO},
    {kIOReturnNotReady, "device is not ready", ENXIO},
    {kIOReturnNotAttached, "device/channel is not attached", ENXIO},
    {kIOReturnNoChannels, "no DMA channels available", ENXIO},
    {kIOReturnNoSpace, "no space for data", ENOSPC},
    {kIOReturnPortExists, "device port already exists", EADDRINUSE},
    {kIOReturnCannotWire, "cannot wire physical memory", ENOMEM},
    {kIOReturnNoInterrupt, "no interrupt attached", EIO},
    {kIOReturnNoFrames, "no DMA frames enqueued", EIO},
    {kIOReturnMessageTooLarge, "message is too large", EMSGSIZE},
    {kIOReturnNotPermitted, "operation is not permitted", EPERM},
    {kIOReturnNoPower, "device is without power", ENXIO},
    {kIOReturnNoMedia, "media is not present", EIO},
    {kIOReturnUnformattedMedia, "media is not formatted", EIO},
    {kIOReturnUnsupportedMode, "unsupported mode", EIO},
    {kIOReturnUnderrun, "data underrun", EIO},
    {kIOReturnOverrun, "data overrun", EIO},
    {kIOReturnDeviceError, "device error", EIO},
    {kIOReturnNoCompletion, "no completion routine", EIO},
    {kIOReturnAborted, "operation was aborted", EIO},
    {kIOReturnNoBandwidth, "bus bandwidth would be exceeded", EIO},
    {kIOReturnNotResponding, "device is not responding", EIO},
    {kIOReturnInvalid, "unanticipated driver error", EIO},
};

static const struct result_name *find(int32_t result)
{
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].result == result)
            return &names[i];
    }
    return NULL;
}

/* NULL for a code that is not I/O Kit's. */
const char *IOService__stringFromReturn(IOService *me, int32_t result)
{
    const struct result_name *name = find(result);

    return name ? name->text : NULL;
}

int32_t IOService__errnoFromReturn(IOService *me, int32_t result)
{
    const struct result_name *name = find(result);

    return name ? name->errno_value : EIO;
}
