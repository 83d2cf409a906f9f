/* SPDX-License-Identifier: BSD-3-Clause */
/* Integration services: heartbeat, shutdown, time synchronisation, guest file copy, KVP, VSS; and
 * dynamic memory, which has a framing of its own.
 *
 * One in-band packet = struct ic_message_header + a body that depends on the message type.
 * Sources: Linux (hv_util, hyperv.h and its daemons), FreeBSD, OpenVMM (hyperv_ic), Mile.HyperV. */
#ifndef PROTOCOL_INTEGRATION_H
#define PROTOCOL_INTEGRATION_H

#include "protocol/wire.h"
#include "protocol/vmbus_ring.h"

/* ---- Framing --------------------------------------------------------------------------------- */

#define IC_VERSION(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))
#define IC_VERSION_MAJOR(v)      ((v) >> 16)
#define IC_VERSION_MINOR(v)      ((v) & 0xFFFFu)

struct ic_version {
    uint16_t major;
    uint16_t minor;
} WIRE_PACKED;
WIRE_SIZE(struct ic_version, 4);

enum ic_message_type {
    IC_MESSAGE_NEGOTIATE      = 0,
    IC_MESSAGE_HEARTBEAT      = 1,
    IC_MESSAGE_KVP            = 2,
    IC_MESSAGE_SHUTDOWN       = 3,
    IC_MESSAGE_TIME_SYNC      = 4,
    IC_MESSAGE_VSS            = 5,
    IC_MESSAGE_REMOTE_DESKTOP = 6,
    IC_MESSAGE_FILE_COPY      = 7,
    IC_MESSAGE_SESSION        = 8
};

#define IC_FLAG_TRANSACTION 0x01u
#define IC_FLAG_REQUEST     0x02u
#define IC_FLAG_RESPONSE    0x04u
#define IC_FLAGS_REQUEST    (IC_FLAG_TRANSACTION | IC_FLAG_REQUEST)
#define IC_FLAGS_RESPONSE   (IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE)

struct ic_message_header {
    struct vmbus_pipe_header pipe;      /* length = 20 + body_size */
    struct ic_version framework_version;
    uint16_t message_type;              /* enum ic_message_type */
    struct ic_version message_version;
    uint16_t body_size;                 /* bytes after this header */
    uint32_t status;                    /* HRESULT; 0 in requests */
    uint8_t transaction_id;             /* chosen by the host, echoed by the guest */
    uint8_t flags;                      /* IC_FLAG_* */
    uint16_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct ic_message_header, 28);
WIRE_OFFSET(struct ic_message_header, framework_version, 8);
WIRE_OFFSET(struct ic_message_header, message_type, 12);
WIRE_OFFSET(struct ic_message_header, message_version, 14);
WIRE_OFFSET(struct ic_message_header, body_size, 18);
WIRE_OFFSET(struct ic_message_header, status, 20);
WIRE_OFFSET(struct ic_message_header, transaction_id, 24);

#define IC_HEADER_SIZE_WITHOUT_PIPE 20u
#define IC_MESSAGE_MAXIMUM          13312u      /* OpenVMM's limit for a whole message */

#define IC_STATUS_OK                    0x00000000u
#define IC_STATUS_FAIL                  0x80004005u     /* refused, no daemon, timed out */
#define IC_STATUS_ACCESS_DENIED         0x80070005u
#define IC_STATUS_NOT_READY             0x80070015u
#define IC_STATUS_NOT_SUPPORTED         0x80070032u
#define IC_STATUS_FILE_EXISTS           0x80070050u
#define IC_STATUS_INVALID_ARGUMENT      0x80070057u
#define IC_STATUS_DISK_FULL             0x80070070u
#define IC_STATUS_NO_MORE_ITEMS         0x80070103u
#define IC_STATUS_SHUTDOWN_IN_PROGRESS  0x8007045Bu
#define IC_STATUS_DEVICE_NOT_CONNECTED  0x8007048Fu
#define IC_STATUS_MACHINE_LOCKED        0x800704F7u
#define IC_STATUS_TIMEOUT               0x800705B4u
#define IC_STATUS_WMI_NOT_FOUND         0x80041002u

/* ---- Negotiation: the host's first message, and again at any later time ---------------------- */

/* Body. In the request the framework versions follow, then the message versions; in the reply one
 * of each (counts 1 and 1), or none (counts 0 and 0) if nothing fits. */
struct ic_negotiate {
    uint16_t framework_version_count;
    uint16_t message_version_count;
    uint32_t reserved;
    struct ic_version versions[];
} WIRE_PACKED;
WIRE_SIZE(struct ic_negotiate, 8);

struct ic_negotiate_reply {
    uint16_t framework_version_count;
    uint16_t message_version_count;
    uint32_t reserved;
    struct ic_version framework_version;
    struct ic_version message_version;
} WIRE_PACKED;
WIRE_SIZE(struct ic_negotiate_reply, 16);

#define IC_FRAMEWORK_1_0 IC_VERSION(1, 0)       /* Server 2008 */
#define IC_FRAMEWORK_3_0 IC_VERSION(3, 0)       /* Server 2008 R2 and later */

#define IC_HEARTBEAT_1_0 IC_VERSION(1, 0)
#define IC_HEARTBEAT_3_0 IC_VERSION(3, 0)
#define IC_HEARTBEAT_3_1 IC_VERSION(3, 1)
#define IC_SHUTDOWN_1_0  IC_VERSION(1, 0)
#define IC_SHUTDOWN_3_0  IC_VERSION(3, 0)
#define IC_SHUTDOWN_3_1  IC_VERSION(3, 1)       /* restart */
#define IC_SHUTDOWN_3_2  IC_VERSION(3, 2)       /* hibernate */
#define IC_TIME_SYNC_1_0 IC_VERSION(1, 0)
#define IC_TIME_SYNC_3_0 IC_VERSION(3, 0)
#define IC_TIME_SYNC_4_0 IC_VERSION(4, 0)
#define IC_KVP_1_0       IC_VERSION(1, 0)
#define IC_KVP_3_0       IC_VERSION(3, 0)
#define IC_KVP_4_0       IC_VERSION(4, 0)
#define IC_KVP_5_0       IC_VERSION(5, 0)       /* binary address blocks */
#define IC_VSS_4_0       IC_VERSION(4, 0)
#define IC_VSS_5_0       IC_VERSION(5, 0)
#define IC_VSS_6_0       IC_VERSION(6, 0)
#define IC_VSS_7_0       IC_VERSION(7, 0)
#define IC_FILE_COPY_1_1 IC_VERSION(1, 1)

/* ---- Heartbeat: about every two seconds; the guest answers with sequence + 1 ----------------- */

#define IC_HEARTBEAT_APPLICATIONS_UNKNOWN  0u
#define IC_HEARTBEAT_APPLICATIONS_HEALTHY  1u
#define IC_HEARTBEAT_APPLICATIONS_CRITICAL 2u

struct ic_heartbeat {
    uint64_t sequence;
    uint32_t application_state;         /* IC_HEARTBEAT_APPLICATIONS_* */
    uint32_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct ic_heartbeat, 16);
#define IC_HEARTBEAT_SIZE_MINIMUM 8u    /* older hosts and Linux know the sequence only */

/* ---- Shutdown -------------------------------------------------------------------------------- */

#define IC_SHUTDOWN_FORCE          0x1u
#define IC_SHUTDOWN_RESTART        0x2u         /* 3.1 */
#define IC_SHUTDOWN_HIBERNATE      0x4u         /* 3.2 */
#define IC_SHUTDOWN_REASON_PLANNED 0x80000000u
#define IC_SHUTDOWN_TEXT_SIZE      2048u

struct ic_shutdown {
    uint32_t reason;
    uint32_t timeout;                   /* seconds */
    uint32_t flags;                     /* IC_SHUTDOWN_* */
    uint8_t text[IC_SHUTDOWN_TEXT_SIZE];        /* UTF-16, may be absent or unterminated */
} WIRE_PACKED;
WIRE_SIZE(struct ic_shutdown, 2060);
#define IC_SHUTDOWN_SIZE_MINIMUM 12u

/* ---- Time synchronisation -------------------------------------------------------------------- */

/* Times: 100 ns since 1601-01-01 00:00 UTC; reference times: HV_MSR_TIME_REF_COUNT. */
#define IC_TIME_UNIX_EPOCH       UINT64_C(116444736000000000)
#define IC_TIME_UNITS_PER_SECOND UINT64_C(10000000)

#define IC_TIME_PROBE  0x0u
#define IC_TIME_SYNC   0x1u             /* step the clock now */
#define IC_TIME_SAMPLE 0x2u             /* a hint, about every five seconds */

struct ic_time_sync {                   /* versions 1.0 and 3.0 */
    uint64_t host_time;
    uint64_t child_time;
    uint64_t round_trip_time;
    uint8_t flags;
    uint8_t reserved[3];
} WIRE_PACKED;
WIRE_SIZE(struct ic_time_sync, 28);
#define IC_TIME_SYNC_SIZE_MINIMUM 25u

struct ic_time_sync_4_0 {
    uint64_t host_time;
    uint64_t reference_time;            /* when host_time was taken */
    uint8_t flags;
    uint8_t leap;
    uint8_t stratum;
    uint8_t reserved[5];
} WIRE_PACKED;
WIRE_SIZE(struct ic_time_sync_4_0, 24);
WIRE_OFFSET(struct ic_time_sync_4_0, flags, 16);
#define IC_TIME_SYNC_4_0_SIZE_MINIMUM 22u

/* ---- Guest file copy ------------------------------------------------------------------------- */

enum ic_file_copy_operation {
    IC_FILE_COPY_START    = 0,
    IC_FILE_COPY_WRITE    = 1,
    IC_FILE_COPY_COMPLETE = 2,
    IC_FILE_COPY_CANCEL   = 3
};

#define IC_FILE_COPY_OVERWRITE   0x1u
#define IC_FILE_COPY_CREATE_PATH 0x2u
#define IC_FILE_COPY_NAME_UNITS  260u           /* UTF-16 units, NUL included */
#define IC_FILE_COPY_DATA_SIZE   6144u

struct ic_file_copy_header {
    uint32_t operation;                 /* enum ic_file_copy_operation */
    struct guid service_id;
    struct guid session_id;
} WIRE_PACKED;
WIRE_SIZE(struct ic_file_copy_header, 36);

struct ic_file_copy_start {
    struct ic_file_copy_header header;
    uint16_t file_name[IC_FILE_COPY_NAME_UNITS];
    uint16_t path[IC_FILE_COPY_NAME_UNITS];
    uint32_t flags;                     /* IC_FILE_COPY_OVERWRITE, ..._CREATE_PATH */
    uint64_t file_size;                 /* bytes */
} WIRE_PACKED;
WIRE_SIZE(struct ic_file_copy_start, 1088);
WIRE_OFFSET(struct ic_file_copy_start, path, 556);
WIRE_OFFSET(struct ic_file_copy_start, flags, 1076);
WIRE_OFFSET(struct ic_file_copy_start, file_size, 1080);

struct ic_file_copy_write {
    struct ic_file_copy_header header;
    uint32_t padding;
    uint64_t offset;                    /* bytes from the file's start */
    uint32_t size;                      /* 1 .. IC_FILE_COPY_DATA_SIZE */
    uint8_t data[IC_FILE_COPY_DATA_SIZE];
} WIRE_PACKED;
WIRE_SIZE(struct ic_file_copy_write, 6196);
WIRE_OFFSET(struct ic_file_copy_write, offset, 40);
WIRE_OFFSET(struct ic_file_copy_write, data, 52);

/* ---- KVP: key-value pairs and network addresses ---------------------------------------------- */

enum ic_kvp_operation {
    IC_KVP_GET       = 0,
    IC_KVP_SET       = 1,
    IC_KVP_DELETE    = 2,
    IC_KVP_ENUMERATE = 3,
    IC_KVP_GET_IP    = 4,
    IC_KVP_SET_IP    = 5
};

enum ic_kvp_pool {
    IC_KVP_POOL_EXTERNAL      = 0,      /* written by the host's administrator */
    IC_KVP_POOL_GUEST         = 1,      /* written by the guest */
    IC_KVP_POOL_AUTO          = 2,      /* facts about the guest */
    IC_KVP_POOL_AUTO_EXTERNAL = 3,      /* facts about the host */
    IC_KVP_POOL_INTERNAL      = 4
};

/* Items of IC_KVP_POOL_AUTO by enumeration index. */
enum ic_kvp_auto_item {
    IC_KVP_AUTO_DOMAIN_NAME = 0,
    IC_KVP_AUTO_SERVICES_VERSION,
    IC_KVP_AUTO_IPV4,
    IC_KVP_AUTO_IPV6,
    IC_KVP_AUTO_OS_BUILD,
    IC_KVP_AUTO_OS_NAME,
    IC_KVP_AUTO_OS_MAJOR,
    IC_KVP_AUTO_OS_MINOR,
    IC_KVP_AUTO_OS_VERSION,
    IC_KVP_AUTO_ARCHITECTURE,
    IC_KVP_AUTO_COUNT
};

#define IC_KVP_TYPE_STRING        1u
#define IC_KVP_TYPE_EXPAND_STRING 2u
#define IC_KVP_TYPE_U32           4u
#define IC_KVP_TYPE_U64_LINUX     8u            /* accept both: peers disagree */
#define IC_KVP_TYPE_U64           11u
#define IC_KVP_KEY_SIZE           512u          /* bytes of UTF-16, NUL included */
#define IC_KVP_VALUE_SIZE         2048u

struct ic_kvp_header {
    uint8_t operation;                  /* enum ic_kvp_operation */
    uint8_t pool;                       /* enum ic_kvp_pool */
} WIRE_PACKED;
WIRE_SIZE(struct ic_kvp_header, 2);

struct ic_kvp_value {
    uint32_t type;                      /* IC_KVP_TYPE_* */
    uint32_t key_size;                  /* bytes, NUL included */
    uint32_t value_size;
    uint8_t key[IC_KVP_KEY_SIZE];
    uint8_t value[IC_KVP_VALUE_SIZE];
} WIRE_PACKED;
WIRE_SIZE(struct ic_kvp_value, 2572);
WIRE_OFFSET(struct ic_kvp_value, value, 524);

struct ic_kvp_exchange {                /* IC_KVP_GET, IC_KVP_SET */
    struct ic_kvp_header header;
    uint16_t padding;
    struct ic_kvp_value item;
} WIRE_PACKED;
WIRE_SIZE(struct ic_kvp_exchange, 2576);

struct ic_kvp_delete {
    struct ic_kvp_header header;
    uint16_t padding;
    uint32_t key_size;
    uint8_t key[IC_KVP_KEY_SIZE];
} WIRE_PACKED;
WIRE_SIZE(struct ic_kvp_delete, 520);

struct ic_kvp_enumerate {
    struct ic_kvp_header header;
    uint16_t padding;
    uint32_t index;
    struct ic_kvp_value item;
} WIRE_PACKED;
WIRE_SIZE(struct ic_kvp_enumerate, 2580);
WIRE_OFFSET(struct ic_kvp_enumerate, item, 8);

#define IC_KVP_FAMILY_IPV4 0x1u
#define IC_KVP_FAMILY_IPV6 0x2u

struct ic_kvp_ip {                      /* IC_KVP_GET_IP, IC_KVP_SET_IP up to 4.0; unaligned */
    struct ic_kvp_header header;
    uint16_t adapter_id[128];           /* get: MAC address; set: instance GUID in braces */
    uint8_t family;                     /* IC_KVP_FAMILY_* */
    uint8_t dhcp_enabled;
    uint16_t addresses[1024];           /* lists separated by ";" */
    uint16_t subnets[1024];
    uint16_t gateways[512];
    uint16_t dns_servers[1024];
} WIRE_PACKED;
WIRE_SIZE(struct ic_kvp_ip, 2 + 7426);
WIRE_OFFSET(struct ic_kvp_ip, addresses, 2 + 258);
WIRE_OFFSET(struct ic_kvp_ip, dns_servers, 2 + 5378);

struct ic_kvp_ip_binary {               /* 5.0 */
    struct ic_kvp_header header;
    uint16_t padding;
    uint32_t ipv4_address_count;        /* clamp every count to its array */
    uint32_t ipv6_address_count;
    uint32_t ipv4_gateway_count;
    uint32_t ipv6_gateway_count;
    uint32_t ipv4_dns_count;
    uint32_t ipv6_dns_count;
    uint16_t adapter_id[128];
    uint8_t family;
    uint8_t dhcp_enabled;
    uint16_t padding286;
    uint32_t ipv4_addresses[64];        /* network byte order */
    uint8_t ipv6_addresses[64][16];
    uint32_t ipv4_subnets[64];
    uint32_t ipv6_prefixes[64];
    uint32_t ipv4_gateways[5];
    uint8_t ipv6_gateways[5][16];
    uint32_t ipv4_dns[64];
    uint8_t ipv6_dns[64][16];
    uint16_t origins[128];
} WIRE_PACKED;
WIRE_SIZE(struct ic_kvp_ip_binary, 4 + 3712);
WIRE_OFFSET(struct ic_kvp_ip_binary, ipv4_addresses, 4 + 284);
WIRE_OFFSET(struct ic_kvp_ip_binary, origins, 4 + 3456);

/* ---- VSS: backup ----------------------------------------------------------------------------- */

enum ic_vss_operation {
    IC_VSS_CREATE           = 0,
    IC_VSS_DELETE           = 1,
    IC_VSS_HOT_BACKUP       = 2,
    IC_VSS_DIRECT_DEVICES   = 3,
    IC_VSS_BACKUP_COMPLETE  = 4,
    IC_VSS_FREEZE           = 5,
    IC_VSS_THAW             = 6,
    IC_VSS_AUTO_RECOVER     = 7,
    IC_VSS_QUERY_CLUSTER    = 8
};

#define IC_VSS_HOT_BACKUP_POSSIBLE    0x1u
#define IC_VSS_HOT_BACKUP_NO_RECOVERY 0x4u
#define IC_VSS_FREEZE_AUTO_RECOVERY   0x1u
#define IC_VSS_FREEZE_SHARED_LUNS     0x2u
#define IC_VSS_LUNS_MAXIMUM           260u

struct ic_vss_header {
    uint8_t operation;                  /* enum ic_vss_operation */
    uint8_t reserved[7];
} WIRE_PACKED;
WIRE_SIZE(struct ic_vss_header, 8);

struct ic_vss_flags {                   /* hot backup, direct devices, backup complete, thaw */
    struct ic_vss_header header;
    uint32_t flags;
} WIRE_PACKED;
WIRE_SIZE(struct ic_vss_flags, 12);

struct ic_vss_lun {
    uint8_t bus;                        /* 1 SCSI, 2 IDE */
    uint8_t reserved[3];
    struct guid controller;
    uint8_t port;
    uint8_t target;
    uint8_t lun;
    uint8_t reserved23;
} WIRE_PACKED;
WIRE_SIZE(struct ic_vss_lun, 24);
WIRE_OFFSET(struct ic_vss_lun, controller, 4);

struct ic_vss_freeze {
    struct ic_vss_header header;
    uint32_t backup_type;
    uint32_t flags;                     /* IC_VSS_FREEZE_* */
    uint32_t lun_count;
    struct ic_vss_lun luns[];
} WIRE_PACKED;
WIRE_SIZE(struct ic_vss_freeze, 20);

/* ---- Dynamic memory: no pipe, no IC header; the guest speaks first --------------------------- */

enum dynamic_memory_message_type {
    DYNAMIC_MEMORY_ERROR                 = 0,
    DYNAMIC_MEMORY_VERSION_REQUEST       = 1,
    DYNAMIC_MEMORY_VERSION_RESPONSE      = 2,
    DYNAMIC_MEMORY_CAPABILITIES          = 3,
    DYNAMIC_MEMORY_CAPABILITIES_RESPONSE = 4,
    DYNAMIC_MEMORY_STATUS                = 5,
    DYNAMIC_MEMORY_BALLOON_REQUEST       = 6,
    DYNAMIC_MEMORY_BALLOON_RESPONSE      = 7,
    DYNAMIC_MEMORY_UNBALLOON_REQUEST     = 8,
    DYNAMIC_MEMORY_UNBALLOON_RESPONSE    = 9,
    DYNAMIC_MEMORY_HOT_ADD_REQUEST       = 10,
    DYNAMIC_MEMORY_HOT_ADD_RESPONSE      = 11,
    DYNAMIC_MEMORY_INFO                  = 12
};

#define DYNAMIC_MEMORY_VERSION_0_3 IC_VERSION(0, 3)     /* Server 2008 R2 SP1 */
#define DYNAMIC_MEMORY_VERSION_1_0 IC_VERSION(1, 0)     /* Server 2012 */
#define DYNAMIC_MEMORY_VERSION_2_0 IC_VERSION(2, 0)     /* Windows 10 */

struct dynamic_memory_header {
    uint16_t type;                      /* enum dynamic_memory_message_type */
    uint16_t size;                      /* whole message */
    uint32_t transaction_id;
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_header, 8);

struct dynamic_memory_version_request {
    struct dynamic_memory_header header;
    uint32_t version;
    uint32_t flags;                     /* DYNAMIC_MEMORY_LAST_ATTEMPT */
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_version_request, 16);
#define DYNAMIC_MEMORY_LAST_ATTEMPT 0x1u

struct dynamic_memory_accepted {        /* version response, capabilities response */
    struct dynamic_memory_header header;
    uint64_t flags;                     /* DYNAMIC_MEMORY_ACCEPTED */
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_accepted, 16);
#define DYNAMIC_MEMORY_ACCEPTED UINT64_C(1)

#define DYNAMIC_MEMORY_CAN_BALLOON             UINT64_C(0x1)
#define DYNAMIC_MEMORY_CAN_HOT_ADD             UINT64_C(0x2)
#define DYNAMIC_MEMORY_HOT_ADD_ALIGNMENT_SHIFT 2        /* 4 bits: log2 of megabytes */

struct dynamic_memory_capabilities {
    struct dynamic_memory_header header;
    uint64_t capabilities;
    uint64_t minimum_pages;
    uint64_t maximum_page_number;
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_capabilities, 32);

struct dynamic_memory_status {          /* every second */
    struct dynamic_memory_header header;
    uint64_t available_pages;
    uint64_t committed_pages;
    uint64_t page_file_pages;
    uint64_t free_pages;                /* zeroed and free */
    uint32_t page_file_writes;
    uint32_t io_difference;
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_status, 48);

struct dynamic_memory_balloon_request {
    struct dynamic_memory_header header;
    uint32_t pages;
    uint32_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_balloon_request, 16);

#define DYNAMIC_MEMORY_MORE 0x1u
#define DYNAMIC_MEMORY_RANGE_FIRST(range) ((range) & UINT64_C(0xFFFFFFFFFF))
#define DYNAMIC_MEMORY_RANGE_COUNT(range) ((range) >> 40)

struct dynamic_memory_balloon_response {
    struct dynamic_memory_header header;
    uint32_t reserved;
    uint32_t more_and_count;            /* bit 0 DYNAMIC_MEMORY_MORE, 31:1 number of ranges */
    uint64_t ranges[];
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_balloon_response, 16);

struct dynamic_memory_unballoon_request {
    struct dynamic_memory_header header;
    uint32_t flags;                     /* DYNAMIC_MEMORY_MORE */
    uint32_t range_count;
    uint64_t ranges[];
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_unballoon_request, 16);

struct dynamic_memory_hot_add_response {
    struct dynamic_memory_header header;
    uint32_t pages;
    uint32_t result;                    /* 1 = done */
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_hot_add_response, 16);

struct dynamic_memory_info {
    struct dynamic_memory_header header;
    uint32_t reserved;
    uint32_t size;
    uint32_t info_type;                 /* 0 = highest page number */
    uint32_t info_size;
    uint64_t value;
} WIRE_PACKED;
WIRE_SIZE(struct dynamic_memory_info, 32);

#endif
