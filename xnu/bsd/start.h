/* SPDX-License-Identifier: BSD-3-Clause */
/* start.h - brings up threads, thread calls, versions, memory maps and kernel controls. */
#ifndef XNU_BSD_START_H
#define XNU_BSD_START_H

/* On a kernel thread, after xnu_libkern_start() and before any driver. 0 or ENOMEM. */
int xnu_bsd_start(void);

/* Ends the threads that xnu_bsd_start and thread calls started; what is still queued is dropped. */
void xnu_bsd_stop(void);

#endif
