/* SPDX-License-Identifier: BSD-3-Clause */
/* The engines' error codes as IOReturn: the only place where they are translated. */
#ifndef KEXT_CORE_IORETURN_H
#define KEXT_CORE_IORETURN_H

#include "abi/types.h"
#include "kext/core/errors.h"

static inline IOReturn ioreturn_of(int error)
{
    switch (error) {
    case 0:                      return kIOReturnSuccess;
    case HV_ERROR_EMPTY:         return kIOReturnUnderrun;
    case HV_ERROR_FULL:          return kIOReturnNoSpace;
    case HV_ERROR_TOO_LARGE:     return kIOReturnMessageTooLarge;
    case HV_ERROR_INVALID:       return kIOReturnBadArgument;
    case HV_ERROR_MALFORMED:     return kIOReturnIOError;
    case HV_ERROR_CORRUPT:       return kIOReturnIOError;
    case HV_ERROR_UNEXPECTED:    return kIOReturnError;
    case HV_ERROR_NOT_FOUND:     return kIOReturnNotFound;
    case HV_ERROR_STATE:         return kIOReturnNotReady;
    case HV_ERROR_GONE:          return kIOReturnOffline;
    case HV_ERROR_REFUSED:       return kIOReturnNotPermitted;
    case HV_ERROR_TIMED_OUT:     return kIOReturnTimeout;
    case HV_ERROR_NO_RESOURCES:  return kIOReturnNoResources;
    case HV_ERROR_NOT_SUPPORTED: return kIOReturnUnsupported;
    case HV_ERROR_IO:            return kIOReturnIOError;
    default:                     return kIOReturnError;
    }
}

#endif
