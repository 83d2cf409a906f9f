/* SPDX-License-Identifier: BSD-3-Clause */
/* The hypervisor's own interface: CPUID leaves, synthetic MSRs, hypercalls, SynIC pages.
 *
 * Source: Microsoft Hypervisor Top-Level Functional Specification; checked against Linux
 * (hyperv-tlfs.h), FreeBSD, OpenVMM and mu_msvm. */
#ifndef PROTOCOL_HYPERVISOR_H
#define PROTOCOL_HYPERVISOR_H

#include "protocol/wire.h"

#define HV_PAGE_SIZE  4096u
#define HV_PAGE_SHIFT 12

/* ---- Discovery by CPUID ---------------------------------------------------------------------- */

#define HV_CPUID_1_ECX_HYPERVISOR (1u << 31)    /* leaf 1: some hypervisor is present */

#define HV_CPUID_VENDOR          0x40000000u    /* EAX highest leaf; EBX, ECX, EDX vendor */
#define HV_CPUID_INTERFACE       0x40000001u    /* EAX "Hv#1" */
#define HV_CPUID_VERSION         0x40000002u
#define HV_CPUID_FEATURES        0x40000003u
#define HV_CPUID_RECOMMENDATIONS 0x40000004u
#define HV_CPUID_LIMITS          0x40000005u    /* EAX virtual, EBX logical CPUs; ECX vectors */
#define HV_CPUID_HARDWARE        0x40000006u
#define HV_CPUID_CPU_MANAGEMENT  0x40000007u
#define HV_CPUID_NESTED_FEATURES 0x40000009u
#define HV_CPUID_NESTED          0x4000000Au
#define HV_CPUID_ISOLATION       0x4000000Cu
#define HV_CPUID_STACK           0x40000080u
#define HV_CPUID_STACK_INTERFACE 0x40000081u    /* EAX "VS#1" */
#define HV_CPUID_STACK_FEATURES  0x40000082u
#define HV_CPUID_LAST            0x400000FFu    /* of the range set aside for hypervisors */

#define HV_CPUID_MINIMUM_LEAF HV_CPUID_LIMITS   /* an "Hv#1" has leaves up to here at least */

#define HV_VENDOR_EBX     0x7263694Du           /* "Micr" */
#define HV_VENDOR_ECX     0x666F736Fu           /* "osof" */
#define HV_VENDOR_EDX     0x76482074u           /* "t Hv" */
#define HV_INTERFACE_HV1  0x31237648u           /* "Hv#1" */
#define HV_INTERFACE_VS1  0x31235356u           /* "VS#1" */

/* HV_CPUID_VERSION: EAX build; EBX below; ECX service pack; EDX below. */
#define HV_VERSION_MAJOR(ebx)          ((ebx) >> 16)
#define HV_VERSION_MINOR(ebx)          ((ebx) & 0xFFFFu)
#define HV_VERSION_SERVICE_BRANCH(edx) ((edx) >> 24)
#define HV_VERSION_SERVICE_NUMBER(edx) ((edx) & 0xFFFFFFu)

/* HV_CPUID_FEATURES EAX: partition privileges, low word (which MSRs may be touched). */
#define HV_PRIVILEGE_VP_RUNTIME          (1u << 0)
#define HV_PRIVILEGE_TIME_REF_COUNT      (1u << 1)
#define HV_PRIVILEGE_SYNIC               (1u << 2)
#define HV_PRIVILEGE_SYNTHETIC_TIMERS    (1u << 3)
#define HV_PRIVILEGE_APIC                (1u << 4)
#define HV_PRIVILEGE_HYPERCALL           (1u << 5)
#define HV_PRIVILEGE_VP_INDEX            (1u << 6)
#define HV_PRIVILEGE_RESET               (1u << 7)
#define HV_PRIVILEGE_STATISTICS          (1u << 8)
#define HV_PRIVILEGE_REFERENCE_TSC       (1u << 9)
#define HV_PRIVILEGE_GUEST_IDLE          (1u << 10)
#define HV_PRIVILEGE_FREQUENCIES         (1u << 11)
#define HV_PRIVILEGE_REENLIGHTENMENT     (1u << 13)
#define HV_PRIVILEGE_TSC_INVARIANT       (1u << 15)

/* HV_CPUID_FEATURES EBX: partition privileges, high word (which hypercalls may be made). */
#define HV_PRIVILEGE_CREATE_PARTITIONS   (1u << 0)
#define HV_PRIVILEGE_PARTITION_ID        (1u << 1)
#define HV_PRIVILEGE_POST_MESSAGES       (1u << 4)
#define HV_PRIVILEGE_SIGNAL_EVENTS       (1u << 5)
#define HV_PRIVILEGE_CREATE_PORT         (1u << 6)
#define HV_PRIVILEGE_CONNECT_PORT        (1u << 7)
#define HV_PRIVILEGE_DEBUGGING           (1u << 11)
#define HV_PRIVILEGE_CPU_MANAGEMENT      (1u << 12)
#define HV_PRIVILEGE_VSM                 (1u << 16)
#define HV_PRIVILEGE_VP_REGISTERS        (1u << 17)
#define HV_PRIVILEGE_EXTENDED_HYPERCALLS (1u << 20)
#define HV_PRIVILEGE_START_VP            (1u << 21)
#define HV_PRIVILEGE_ISOLATION           (1u << 22)

/* HV_CPUID_FEATURES EDX: miscellaneous features. */
#define HV_FEATURE_GUEST_DEBUGGING       (1u << 1)
#define HV_FEATURE_CPU_PARTITIONING      (1u << 3)
#define HV_FEATURE_XMM_INPUT             (1u << 4)
#define HV_FEATURE_GUEST_IDLE_STATE      (1u << 5)
#define HV_FEATURE_FREQUENCIES           (1u << 8)
#define HV_FEATURE_INJECT_MACHINE_CHECK  (1u << 9)
#define HV_FEATURE_CRASH_MSRS            (1u << 10)
#define HV_FEATURE_DISABLE_HYPERVISOR    (1u << 13)
#define HV_FEATURE_XMM_OUTPUT            (1u << 15)
#define HV_FEATURE_SINT_POLLING          (1u << 17)
#define HV_FEATURE_HYPERCALL_LOCK        (1u << 18)
#define HV_FEATURE_DIRECT_TIMERS         (1u << 19)

/* HV_CPUID_RECOMMENDATIONS EAX; EBX spin count before notifying; ECX[6:0] physical address bits. */
#define HV_RECOMMEND_SWITCH_HYPERCALL       (1u << 0)
#define HV_RECOMMEND_LOCAL_FLUSH_HYPERCALL  (1u << 1)
#define HV_RECOMMEND_REMOTE_FLUSH_HYPERCALL (1u << 2)
#define HV_RECOMMEND_APIC_MSRS              (1u << 3)
#define HV_RECOMMEND_RESET_MSR              (1u << 4)
#define HV_RECOMMEND_RELAXED_TIMING         (1u << 5)
#define HV_RECOMMEND_DMA_REMAPPING          (1u << 6)
#define HV_RECOMMEND_INTERRUPT_REMAPPING    (1u << 7)
#define HV_RECOMMEND_X2APIC_MSRS            (1u << 8)
#define HV_RECOMMEND_NO_AUTO_EOI            (1u << 9)
#define HV_RECOMMEND_CLUSTER_IPI            (1u << 10)
#define HV_RECOMMEND_EX_PROCESSOR_MASKS     (1u << 11)
#define HV_RECOMMEND_NESTED                 (1u << 12)
#define HV_RECOMMEND_MBEC_INTERRUPT         (1u << 13)
#define HV_RECOMMEND_ENLIGHTENED_VMCS       (1u << 14)
#define HV_RECOMMEND_SYNCED_TIMELINE        (1u << 15)
#define HV_RECOMMEND_DIRECT_LOCAL_FLUSH     (1u << 17)
#define HV_RECOMMEND_NO_CORE_SHARING        (1u << 18)
#define HV_RECOMMEND_MMIO_HYPERCALLS        (1u << 21)
#define HV_SPIN_COUNT_NEVER                 0xFFFFFFFFu

/* HV_CPUID_HARDWARE EAX. */
#define HV_HARDWARE_APIC_OVERLAY        (1u << 0)
#define HV_HARDWARE_MSR_BITMAPS         (1u << 1)
#define HV_HARDWARE_PERFORMANCE         (1u << 2)
#define HV_HARDWARE_SLAT                (1u << 3)
#define HV_HARDWARE_DMA_REMAPPING       (1u << 4)
#define HV_HARDWARE_INTERRUPT_REMAPPING (1u << 5)
#define HV_HARDWARE_PATROL_SCRUBBER     (1u << 6)
#define HV_HARDWARE_DMA_PROTECTION      (1u << 7)
#define HV_HARDWARE_HPET                (1u << 8)
#define HV_HARDWARE_VOLATILE_TIMERS     (1u << 9)

/* HV_CPUID_ISOLATION: EAX, then EBX[3:0]. */
#define HV_ISOLATION_PARAVISOR    (1u << 0)
#define HV_ISOLATION_TYPE(ebx)    ((ebx) & 0xFu)
#define HV_ISOLATION_TYPE_NONE    0u
#define HV_ISOLATION_TYPE_VBS     1u
#define HV_ISOLATION_TYPE_SNP     2u
#define HV_ISOLATION_TYPE_TDX     3u

/* ---- Synthetic MSRs -------------------------------------------------------------------------- */

#define HV_MSR_GUEST_OS_ID        0x40000000u
#define HV_MSR_HYPERCALL          0x40000001u
#define HV_MSR_VP_INDEX           0x40000002u   /* read only */
#define HV_MSR_RESET              0x40000003u
#define HV_MSR_VP_RUNTIME         0x40000010u   /* read only, 100 ns */
#define HV_MSR_TIME_REF_COUNT     0x40000020u   /* read only, 100 ns since the partition started */
#define HV_MSR_REFERENCE_TSC      0x40000021u
#define HV_MSR_TSC_FREQUENCY      0x40000022u   /* read only, Hz */
#define HV_MSR_APIC_FREQUENCY     0x40000023u   /* read only, Hz */
#define HV_MSR_EOI                0x40000070u
#define HV_MSR_ICR                0x40000071u
#define HV_MSR_TPR                0x40000072u
#define HV_MSR_VP_ASSIST_PAGE     0x40000073u
#define HV_MSR_SCONTROL           0x40000080u
#define HV_MSR_SVERSION           0x40000081u   /* read only, HV_SYNIC_VERSION */
#define HV_MSR_SIEFP              0x40000082u   /* event flag page */
#define HV_MSR_SIMP               0x40000083u   /* message page */
#define HV_MSR_EOM                0x40000084u   /* write 0: end of message */
#define HV_MSR_SINT0              0x40000090u
#define HV_MSR_SINT(n)            (HV_MSR_SINT0 + (n))          /* n < HV_SYNIC_SINT_COUNT */
#define HV_MSR_SINT15             HV_MSR_SINT(15)
#define HV_MSR_STIMER0_CONFIG     0x400000B0u
#define HV_MSR_STIMER0_COUNT      0x400000B1u
#define HV_MSR_STIMER_CONFIG(n)   (HV_MSR_STIMER0_CONFIG + 2 * (n))     /* n < HV_TIMER_COUNT */
#define HV_MSR_STIMER_COUNT(n)    (HV_MSR_STIMER0_COUNT + 2 * (n))
#define HV_MSR_GUEST_IDLE         0x400000F0u
#define HV_MSR_CRASH_P0           0x40000100u
#define HV_MSR_CRASH_P(n)         (HV_MSR_CRASH_P0 + (n))       /* n < HV_CRASH_PARAMETER_COUNT */
#define HV_MSR_CRASH_CTL          0x40000105u
#define HV_MSR_REENLIGHTENMENT    0x40000106u
#define HV_MSR_TSC_EMULATION      0x40000107u
#define HV_MSR_TSC_EMULATION_STATUS 0x40000108u
#define HV_MSR_TSC_INVARIANT      0x40000118u
#define HV_MSR_FIRST              0x40000000u   /* of the range that a monitor forwards */
#define HV_MSR_LAST               0x400001FFu

/* HYPERCALL, REFERENCE_TSC, VP_ASSIST_PAGE, SIEFP, SIMP: bit 0 and a guest page number. */
#define HV_MSR_PAGE_ENABLE        UINT64_C(1)
#define HV_MSR_HYPERCALL_LOCKED   UINT64_C(2)                       /* until reset */
#define HV_MSR_PAGE_PRESERVE      UINT64_C(0xFFE)                   /* keep what was read */
#define HV_MSR_PAGE_ADDRESS       UINT64_C(0xFFFFFFFFFFFFF000)

#define HV_RESET_NOW              UINT64_C(1)

/* GUEST_OS_ID: open-source form (bit 63 set), and the form of vendors (bit 63 clear). */
#define HV_GUEST_OS_OPEN_SOURCE   (UINT64_C(1) << 63)
#define HV_GUEST_OS_TYPE_SHIFT    56
#define HV_GUEST_OS_TYPE_LINUX    UINT64_C(1)
#define HV_GUEST_OS_TYPE_FREEBSD  UINT64_C(2)
#define HV_GUEST_OS_TYPE_XEN      UINT64_C(3)
#define HV_GUEST_OS_TYPE_ILLUMOS  UINT64_C(4)
#define HV_GUEST_OS_VERSION_SHIFT 16
#define HV_GUEST_OS_VENDOR_SHIFT  48
#define HV_GUEST_OS_MAJOR_SHIFT   32
#define HV_GUEST_OS_MINOR_SHIFT   24

/* SCONTROL, SVERSION, SINTn. */
#define HV_SCONTROL_ENABLE        UINT64_C(1)
#define HV_SYNIC_VERSION          UINT64_C(1)
#define HV_SINT_VECTOR            UINT64_C(0xFF)    /* 16..255 */
#define HV_SINT_MASKED            (UINT64_C(1) << 16)
#define HV_SINT_AUTO_EOI          (UINT64_C(1) << 17)
#define HV_SINT_POLLING           (UINT64_C(1) << 18)
#define HV_SINT_RESET_VALUE       HV_SINT_MASKED
#define HV_SINT_VECTOR_MINIMUM    16u

/* STIMERn_CONFIG. */
#define HV_TIMER_COUNT            4u                /* a processor */
#define HV_TIMER_ENABLE           UINT64_C(1)
#define HV_TIMER_PERIODIC         (UINT64_C(1) << 1)
#define HV_TIMER_LAZY             (UINT64_C(1) << 2)
#define HV_TIMER_AUTO_ENABLE      (UINT64_C(1) << 3)
#define HV_TIMER_VECTOR_SHIFT     4                 /* 8 bits, direct mode */
#define HV_TIMER_DIRECT           (UINT64_C(1) << 12)
#define HV_TIMER_SINT_SHIFT       16                /* 4 bits */

/* CRASH_CTL. */
#define HV_CRASH_PARAMETER_COUNT  5u
#define HV_CRASH_PRE_OS_SHIFT     58                /* 3 bits */
#define HV_CRASH_NO_DUMP          (UINT64_C(1) << 61)
#define HV_CRASH_MESSAGE          (UINT64_C(1) << 62)   /* P3 = address, P4 = length of a text */
#define HV_CRASH_NOTIFY           (UINT64_C(1) << 63)   /* writing it reports the crash */
#define HV_CRASH_MESSAGE_MAXIMUM  4096u

/* The reference TSC page: time = high64(tsc * scale) + offset, in 100 ns. Read the sequence before
 * and after; 0 means "use HV_MSR_TIME_REF_COUNT". */
struct hv_reference_tsc_page {
    uint32_t sequence;
    uint32_t reserved;
    uint64_t scale;
    int64_t offset;
    uint8_t unused[HV_PAGE_SIZE - 24];
} WIRE_PACKED;
WIRE_SIZE(struct hv_reference_tsc_page, 4096);
WIRE_OFFSET(struct hv_reference_tsc_page, scale, 8);
WIRE_OFFSET(struct hv_reference_tsc_page, offset, 16);

#define HV_TIME_UNITS_PER_SECOND UINT64_C(10000000)     /* all hypervisor times: 100 ns */

/* ---- Hypercalls ------------------------------------------------------------------------------ */

/* Input value. */
#define HV_HYPERCALL_CODE_MASK         UINT64_C(0xFFFF)
#define HV_HYPERCALL_FAST              (UINT64_C(1) << 16)
#define HV_HYPERCALL_HEADER_SHIFT      17               /* 10 bits: variable header, 8-byte units */
#define HV_HYPERCALL_NESTED            (UINT64_C(1) << 31)
#define HV_HYPERCALL_REP_COUNT_SHIFT   32               /* 12 bits */
#define HV_HYPERCALL_REP_START_SHIFT   48               /* 12 bits */
#define HV_HYPERCALL_REP_MASK          UINT64_C(0xFFF)
#define HV_HYPERCALL_RESERVED          UINT64_C(0xF000F00078000000)

/* Result value. */
#define HV_HYPERCALL_STATUS(result)    ((uint16_t)((result) & 0xFFFF))
#define HV_HYPERCALL_REPS_DONE(result) ((uint16_t)((result) >> 32 & 0xFFF))

#define HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE 0x0002u
#define HV_CALL_FLUSH_VIRTUAL_ADDRESS_LIST  0x0003u
#define HV_CALL_NOTIFY_LONG_SPIN_WAIT       0x0008u
#define HV_CALL_SEND_CLUSTER_IPI            0x000Bu
#define HV_CALL_FLUSH_SPACE_EX              0x0013u
#define HV_CALL_FLUSH_LIST_EX               0x0014u
#define HV_CALL_SEND_CLUSTER_IPI_EX         0x0015u
#define HV_CALL_POST_MESSAGE                0x005Cu     /* slow form only */
#define HV_CALL_SIGNAL_EVENT                0x005Du     /* fast form used by every guest */
#define HV_CALL_RETARGET_DEVICE_INTERRUPT   0x007Eu     /* slow form only */

/* Status codes. */
#define HV_STATUS_SUCCESS                   0x0000u
#define HV_STATUS_INVALID_HYPERCALL_CODE    0x0002u
#define HV_STATUS_INVALID_HYPERCALL_INPUT   0x0003u
#define HV_STATUS_INVALID_ALIGNMENT         0x0004u
#define HV_STATUS_INVALID_PARAMETER         0x0005u
#define HV_STATUS_ACCESS_DENIED             0x0006u
#define HV_STATUS_INVALID_PARTITION_STATE   0x0007u
#define HV_STATUS_OPERATION_DENIED          0x0008u
#define HV_STATUS_INSUFFICIENT_MEMORY       0x000Bu
#define HV_STATUS_INVALID_PARTITION_ID      0x000Du
#define HV_STATUS_INVALID_VP_INDEX          0x000Eu
#define HV_STATUS_INVALID_PORT_ID           0x0011u
#define HV_STATUS_INVALID_CONNECTION_ID     0x0012u     /* PostMessage: also "slow down" */
#define HV_STATUS_INSUFFICIENT_BUFFERS      0x0013u     /* all buffers of the port in flight */
#define HV_STATUS_NOT_ACKNOWLEDGED          0x0014u
#define HV_STATUS_INVALID_VP_STATE          0x0015u
#define HV_STATUS_ACKNOWLEDGED              0x0016u
#define HV_STATUS_INVALID_SAVE_STATE        0x0017u
#define HV_STATUS_INVALID_SYNIC_STATE       0x0018u
#define HV_STATUS_OBJECT_IN_USE             0x0019u
#define HV_STATUS_NO_RESOURCES              0x001Du
#define HV_STATUS_INVALID_DEVICE_ID         0x0057u
#define HV_STATUS_OPERATION_FAILED          0x0071u
#define HV_STATUS_TIMEOUT                   0x0078u

/* HvCallPostMessage's input block: 8-byte aligned, within one page of RAM. */
#define HV_MESSAGE_PAYLOAD_MAXIMUM 240u
#define HV_MESSAGE_BUFFERS         16u      /* messages in flight a port */

struct hv_post_message {
    uint32_t connection_id;         /* 24 bits used */
    uint32_t reserved;
    uint32_t message_type;          /* HV_MESSAGE_TYPE_VMBUS; not 0, top bit clear */
    uint32_t payload_size;          /* 0 .. HV_MESSAGE_PAYLOAD_MAXIMUM */
    uint8_t payload[HV_MESSAGE_PAYLOAD_MAXIMUM];
} WIRE_PACKED;
WIRE_SIZE(struct hv_post_message, 256);
WIRE_OFFSET(struct hv_post_message, message_type, 8);
WIRE_OFFSET(struct hv_post_message, payload_size, 12);
WIRE_OFFSET(struct hv_post_message, payload, 16);

/* HvCallSignalEvent's input, fast form: connection id, and the flag number in bits 47:32. */
#define HV_SIGNAL_FLAG_SHIFT 32

struct hv_signal_event {
    uint32_t connection_id;
    uint16_t flag_number;           /* 0 for VMBus */
    uint16_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct hv_signal_event, 8);

/* HvCallRetargetDeviceInterrupt: an interrupt message that the host gave out (vpci.h) goes to other
 * processors, or arrives with another vector. Slow form; 8-byte aligned, within one page of RAM.
 * With HV_INTERRUPT_PROCESSOR_SET `processors` is the set's format; the mask of valid banks and the
 * banks (64 processors each) follow, and are counted in the variable header. */
#define HV_PARTITION_SELF          UINT64_MAX
#define HV_INTERRUPT_SOURCE_MSI    1u
#define HV_INTERRUPT_MULTICAST     0x1u
#define HV_INTERRUPT_PROCESSOR_SET 0x2u
#define HV_INTERRUPT_PROXY         0x4u
#define HV_PROCESSOR_SET_SPARSE    0u
#define HV_PROCESSOR_SET_ALL       1u
#define HV_PROCESSOR_SET_BANKS     64u

struct hv_retarget_interrupt {
    uint64_t partition;             /* HV_PARTITION_SELF */
    uint64_t device;                /* vpci_device_id() */
    uint32_t source;                /* HV_INTERRUPT_SOURCE_MSI */
    uint32_t reserved;
    uint32_t address;               /* of the message, low half */
    uint32_t data;
    uint64_t reserved_2;
    uint32_t vector;
    uint32_t flags;                 /* HV_INTERRUPT_* */
    uint64_t processors;            /* a bit a virtual processor */
} WIRE_PACKED;
WIRE_SIZE(struct hv_retarget_interrupt, 56);
WIRE_OFFSET(struct hv_retarget_interrupt, address, 24);
WIRE_OFFSET(struct hv_retarget_interrupt, vector, 40);
WIRE_OFFSET(struct hv_retarget_interrupt, processors, 48);

/* ---- SynIC ----------------------------------------------------------------------------------- */

#define HV_SYNIC_SINT_COUNT   16u
#define HV_SINT_INTERCEPT     0u        /* the hypervisor's own, never used by a guest */
#define HV_SINT_VMBUS         2u
#define HV_SINT_TIMER         4u
#define HV_SINT_VMBUS_VTL2    7u        /* VMBus redirected by a paravisor */

/* One message slot; slot n of the page belongs to SINTn. */
#define HV_MESSAGE_TYPE_NONE          0u
#define HV_MESSAGE_TYPE_VMBUS         1u
#define HV_MESSAGE_TYPE_HYPERVISOR    0x80000000u   /* top bit: from the hypervisor itself */
#define HV_MESSAGE_TYPE_TIMER_EXPIRED 0x80000010u

#define HV_MESSAGE_FLAG_PENDING       0x01u         /* more messages wait: write HV_MSR_EOM */

struct hv_message {
    uint32_t message_type;
    uint8_t payload_size;
    uint8_t message_flags;
    uint16_t reserved;
    uint64_t sender;                /* port id in the low 24 bits, or a partition id */
    uint8_t payload[HV_MESSAGE_PAYLOAD_MAXIMUM];
} WIRE_PACKED;
WIRE_SIZE(struct hv_message, 256);
WIRE_OFFSET(struct hv_message, payload_size, 4);
WIRE_OFFSET(struct hv_message, message_flags, 5);
WIRE_OFFSET(struct hv_message, sender, 8);
WIRE_OFFSET(struct hv_message, payload, 16);

struct hv_message_page {
    struct hv_message slots[HV_SYNIC_SINT_COUNT];
} WIRE_PACKED;
WIRE_SIZE(struct hv_message_page, 4096);

/* Payload of HV_MESSAGE_TYPE_TIMER_EXPIRED. */
struct hv_timer_message {
    uint32_t timer_index;
    uint32_t reserved;
    uint64_t expiration_time;       /* 100 ns, reference time */
    uint64_t delivery_time;
} WIRE_PACKED;
WIRE_SIZE(struct hv_timer_message, 24);
WIRE_OFFSET(struct hv_timer_message, expiration_time, 8);

/* Event flags: flag f of a SINT is bit f % 8 of byte f / 8; seen as words, bit f % 32 of word
 * f / 32. The hypervisor sets them atomically and interrupts on a change from 0 to 1 only. */
#define HV_EVENT_FLAGS_PER_SINT 2048u
#define HV_EVENT_FLAG_WORDS     (HV_EVENT_FLAGS_PER_SINT / 32)

struct hv_event_flags {
    uint32_t words[HV_EVENT_FLAG_WORDS];
};
WIRE_SIZE(struct hv_event_flags, 256);

struct hv_event_flag_page {
    struct hv_event_flags sints[HV_SYNIC_SINT_COUNT];
};
WIRE_SIZE(struct hv_event_flag_page, 4096);

#endif
