/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes, credentials, waiting and conversion of names on the BSD side.
 *
 * Source: xnu bsd/sys/proc.h, kauth.h, utfconv.h, systm.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

typedef struct ucred *kauth_cred_t;

int proc_selfpid(void) __asm("_proc_selfpid");
proc_t proc_self(void) __asm("_proc_self");
int proc_rele(proc_t p) __asm("_proc_rele");
int proc_pid(proc_t) __asm("_proc_pid");
void proc_name(int pid, char *buf, int size) __asm("_proc_name");
kauth_cred_t kauth_cred_get(void) __asm("_kauth_cred_get");
int kauth_cred_issuser(kauth_cred_t _cred) __asm("_kauth_cred_issuser"); /* since 10.5 */
uint32_t kauth_cred_getuid(kauth_cred_t _cred) __asm("_kauth_cred_getuid");

/* Wakes who sleeps on the address. */
void wakeup(void *chan) __asm("_wakeup");

/* UTF-16 to UTF-8 and back. Lengths in bytes; flags UTF_*. Errors: EINVAL, ENAMETOOLONG. */
int utf8_encodestr(const uint16_t *ucsp, size_t ucslen, uint8_t *utf8p, size_t *utf8len,
                   size_t buflen, uint16_t altslash, int flags)
    __asm("_utf8_encodestr");
int utf8_decodestr(const uint8_t *utf8p, size_t utf8len, uint16_t *ucsp, size_t *ucslen,
                   size_t buflen, uint16_t altslash, int flags)
    __asm("_utf8_decodestr");
size_t utf8_encodelen(const uint16_t *ucsp, size_t ucslen, uint16_t altslash, int flags)
    __asm("_utf8_encodelen");
int utf8_validatestr(const uint8_t *utf8p, size_t utf8len) __asm("_utf8_validatestr");
