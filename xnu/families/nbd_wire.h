/* SPDX-License-Identifier: BSD-3-Clause */
/* nbd_wire.h - numbers and big-endian accessors of the NBD protocol (doc/proto.md of the NBD
 * project). Included by the protocol engine and its tests only. */
#ifndef XNU_FAMILIES_NBD_WIRE_H
#define XNU_FAMILIES_NBD_WIRE_H

#include "protocol/big_endian.h"

#define NBD_MAGIC UINT64_C(0x4e42444d41474943)              /* "NBDMAGIC" */
#define NBD_MAGIC_OPTION UINT64_C(0x49484156454f5054)       /* "IHAVEOPT" */
#define NBD_MAGIC_OPTION_REPLY UINT64_C(0x0003e889045565a9)
#define NBD_MAGIC_REQUEST UINT32_C(0x25609513)
#define NBD_MAGIC_SIMPLE_REPLY UINT32_C(0x67446698)
#define NBD_MAGIC_STRUCTURED_REPLY UINT32_C(0x668e33ef)

enum {
    NBD_FLAG_FIXED_NEWSTYLE = 1 << 0,
    NBD_FLAG_NO_ZEROES = 1 << 1,
    NBD_FLAG_C_FIXED_NEWSTYLE = 1 << 0,
    NBD_FLAG_C_NO_ZEROES = 1 << 1,
};

enum {
    NBD_OPT_EXPORT_NAME = 1,
    NBD_OPT_ABORT = 2,
    NBD_OPT_LIST = 3,
    NBD_OPT_STARTTLS = 5,
    NBD_OPT_INFO = 6,
    NBD_OPT_GO = 7,
    NBD_OPT_STRUCTURED_REPLY = 8,
};

#define NBD_REP_ACK UINT32_C(1)
#define NBD_REP_SERVER UINT32_C(2)
#define NBD_REP_INFO UINT32_C(3)
#define NBD_REP_ERR_UNSUP UINT32_C(0x80000001)
#define NBD_REP_ERR_INVALID UINT32_C(0x80000003)
#define NBD_REP_ERR_UNKNOWN UINT32_C(0x80000006)
#define NBD_REP_ERR_TOO_BIG UINT32_C(0x80000009)

enum {
    NBD_INFO_EXPORT = 0,
    NBD_INFO_NAME = 1,
    NBD_INFO_DESCRIPTION = 2,
    NBD_INFO_BLOCK_SIZE = 3,
};

enum {
    NBD_FLAG_HAS_FLAGS = 1 << 0,
    NBD_FLAG_READ_ONLY = 1 << 1,
    NBD_FLAG_SEND_FLUSH = 1 << 2,
    NBD_FLAG_SEND_FUA = 1 << 3,
    NBD_FLAG_SEND_TRIM = 1 << 5,
    NBD_FLAG_SEND_WRITE_ZEROES = 1 << 6,
    NBD_FLAG_CAN_MULTI_CONN = 1 << 8,
};

enum {
    NBD_CMD_FLAG_FUA = 1 << 0,
    NBD_CMD_FLAG_NO_HOLE = 1 << 1,
    NBD_CMD_FLAG_DF = 1 << 2,
};

enum {
    NBD_REPLY_FLAG_DONE = 1 << 0,
    NBD_REPLY_TYPE_NONE = 0,
    NBD_REPLY_TYPE_OFFSET_DATA = 1,
    NBD_REPLY_TYPE_ERROR = (1 << 15) + 1,
};

#endif
