/* SPDX-License-Identifier: BSD-3-Clause */
/* errno values of Darwin. Not part of abi/constants.h: they differ from those of Linux.
 *
 * Source: the public headers that each section names, of Apple's open-source releases. */
#pragma once

/* errno values (sys/errno.h) */
#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define ENXIO 6
#define E2BIG 7
#define ENOMEM 0xc
#define EACCES 0xd
#define EFAULT 0xe
#define EBUSY 0x10
#define EEXIST 0x11
#define ENODEV 0x13
#define ENOTDIR 0x14
#define EISDIR 0x15
#define EINVAL 0x16
#define ENOTTY 0x19
#define ETXTBSY 0x1a
#define EFBIG 0x1b
#define ENOSPC 0x1c
#define EROFS 0x1e
#define EPIPE 0x20
#define EAGAIN 0x23
#define EALREADY 0x25
#define EMSGSIZE 0x28
#define EPROTONOSUPPORT 0x2b
#define ENOTSUP 0x2d
#define EADDRINUSE 0x30
#define ENOBUFS 0x37
#define EISCONN 0x38
#define ENOTCONN 0x39
#define ETIMEDOUT 0x3c
#define ENAMETOOLONG 0x3f
#define ESTALE 0x46
#define ENOSYS 0x4e
#define EOVERFLOW 0x54
#define ECANCELED 0x59
#define EILSEQ 0x5c
#define EBADMSG 0x5e
#define EPROTO 0x64
#define EOPNOTSUPP 0x66
#define EJUSTRETURN (-2)
