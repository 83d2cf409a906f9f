/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel does for a process that has a user client open: IOServiceOpen, IOConnectCall...,
 * IOServiceClose and the process's end, by the rules of the release. Source: xnu
 * iokit/Kernel/IOUserClient.cpp (is_io_service_open_extended, is_io_connect_method). */
#ifndef MACHV_XNU_IOKIT_USER_CLIENT_H
#define MACHV_XNU_IOKIT_USER_CLIENT_H

#include "abi/IOUserClient.h"

struct user_client;

/* An IOReturn; *result only with kIOReturnSuccess. From macOS 13 on a client whose
 * IOUserClientEntitlements is anything but false is refused (and its clientClose called): no
 * process here has entitlements. `properties` may be NULL. */
int32_t user_client_open(IOService *service, uint32_t type, OSDictionary *properties,
                         struct user_client **result);

/* Any thread, several at a time. From 11 on a client that does not say false for
 * IOUserClientDefaultLocking has a lock: a close waits for methods that run. */
int32_t user_client_call(struct user_client *client, uint32_t selector,
                         IOExternalMethodArguments *arguments);

/* From 10.11 on only the first of these two reaches the driver (clientClose, clientDied); before,
 * each does. The end frees `client`; no other call may be under way or come. */
int32_t user_client_close(struct user_client *client);
void user_client_end(struct user_client *client);

#endif
