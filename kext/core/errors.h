/* SPDX-License-Identifier: BSD-3-Clause */
/* Error codes of the protocol engines: 0 is success, everything else is negative.
 *
 * The I/O Kit classes turn them into IOReturn in one place, kext/core/ioreturn.h. */
#ifndef KEXT_CORE_ERRORS_H
#define KEXT_CORE_ERRORS_H

enum {
    HV_ERROR_EMPTY         = -1,    /* nothing there to read */
    HV_ERROR_FULL          = -2,    /* no room now; try again after the host made some */
    HV_ERROR_TOO_LARGE     = -3,    /* can never fit, or does not fit the caller's buffer */
    HV_ERROR_INVALID       = -4,    /* an argument of the caller is out of range */
    HV_ERROR_MALFORMED     = -5,    /* a message from the host breaks its format; it was dropped */
    HV_ERROR_CORRUPT       = -6,    /* shared memory breaks the protocol; the channel is finished */
    HV_ERROR_UNEXPECTED    = -7,    /* nobody waits for this reply, or not now; it was dropped */
    HV_ERROR_NOT_FOUND     = -8,    /* no such channel, request or table entry */
    HV_ERROR_STATE         = -9,    /* not possible in this state */
    HV_ERROR_GONE          = -10,   /* the host took the channel away */
    HV_ERROR_REFUSED       = -11,   /* the host answered "no" */
    HV_ERROR_TIMED_OUT     = -12,   /* the host did not answer in time */
    HV_ERROR_NO_RESOURCES  = -13,   /* a table of fixed size is full, or no memory */
    HV_ERROR_NOT_SUPPORTED = -14,   /* not in the protocol version in use */
    HV_ERROR_IO            = -15    /* the hypervisor refused a hypercall for good */
};

#endif
