/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks, clocks, thread calls, sysctl, UTF-8.
 *
 * Source: the public headers that each section names, of Apple's open-source releases. */
#pragma once

/* Locks (IOKit/IOLocks.h, kern/locks.h) */
#define kIOLockStateUnlocked 0
#define kIOLockStateLocked 1

/* lck_* (kern/locks.h) */
#define LCK_SLEEP_DEFAULT 0
#define LCK_SLEEP_UNLOCK 1
#define LCK_SLEEP_SHARED 2
#define LCK_SLEEP_EXCLUSIVE 4
#define LCK_SLEEP_SPIN 8
#define LCK_SLEEP_PROMOTED_PRI 0x10
#define LCK_SLEEP_SPIN_ALWAYS 0x20
#define LCK_SLEEP_MASK 0x3f
#define LCK_WAKE_DEFAULT 0
#define LCK_WAKE_DO_NOT_TRANSFER_PUSH 1
#define LCK_ASSERT_OWNED 1
#define LCK_ASSERT_NOTOWNED 2
#define LCK_RW_TYPE_SHARED 1
#define LCK_RW_TYPE_EXCLUSIVE 2

/* Clocks (mach/clock_types.h) */
#define SYSTEM_CLOCK 0
#define CALENDAR_CLOCK 1
#define REALTIME_CLOCK 0
#define CLOCK_GET_TIME_RES 1
#define CLOCK_ALARM_CURRES 3
#define CLOCK_ALARM_MINRES 4
#define CLOCK_ALARM_MAXRES 5
#define NSEC_PER_USEC 0x3e8
#define USEC_PER_SEC 0xf4240
#define NSEC_PER_SEC 0x3b9aca00
#define NSEC_PER_MSEC 0xf4240
#define ALRMTYPE 0xff
#define TIME_ABSOLUTE 0
#define TIME_RELATIVE 1
#define kNanosecondScale 1
#define kMicrosecondScale 1000
#define kMillisecondScale 1000000
#define kSecondScale 1000000000

/* Threads and waits (kern) */
#define THREAD_CALL_PRIORITY_HIGH 0
#define THREAD_CALL_PRIORITY_KERNEL 1
#define THREAD_CALL_PRIORITY_USER 2
#define THREAD_CALL_PRIORITY_LOW 3
#define THREAD_CALL_PRIORITY_KERNEL_HIGH 4
#define THREAD_CALL_OPTIONS_ONCE 1

/* Random bits of sys/ */
#define SYSPROTO_EVENT 1
#define SYSPROTO_CONTROL 2
#define AF_SYS_CONTROL 2

/* UTF-8 conversion (sys/utfconv.h) */
#define UTF_REVERSE_ENDIAN 1
#define UTF_NO_NULL_TERM 2
#define UTF_DECOMPOSED 4
#define UTF_PRECOMPOSED 8
#define UTF_ESCAPE_ILLEGAL 0x10
#define UTF_SFM_CONVERSIONS 0x20
#define UTF_BIG_ENDIAN 1
#define UTF_LITTLE_ENDIAN 0

/* sysctl (sys/sysctl.h) */
#define CTLTYPE 0xf
#define CTLTYPE_NODE 1
#define CTLTYPE_INT 2
#define CTLTYPE_STRING 3
#define CTLTYPE_QUAD 4
#define CTLTYPE_OPAQUE 5
#define CTLFLAG_RD 0x80000000u
#define CTLFLAG_WR 0x40000000
#define CTLFLAG_RW 0xc0000000u
#define CTLFLAG_NOLOCK 0x20000000
#define CTLFLAG_ANYBODY 0x10000000
#define CTLFLAG_SECURE 0x8000000
#define CTLFLAG_MASKED 0x4000000
#define CTLFLAG_NOAUTO 0x2000000
#define CTLFLAG_KERN 0x1000000
#define CTLFLAG_LOCKED 0x800000
#define CTLFLAG_OID2 0x400000
#define OID_AUTO (-1)
#define SYSCTL_OID_VERSION 1
