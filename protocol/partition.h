/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The partition socket: messages between hvhost (the hypervisor and the root partition) and the
 * monitor that runs the guest's processors. Explained in docs/partition-protocol.md.
 *
 * AF_UNIX, SOCK_SEQPACKET, little-endian, one message a datagram. Every structure below is a whole
 * datagram, its header included, unless the comment says otherwise. A reply has the type of its
 * request with PARTITION_REPLY set, and the same cookie.
 */
#ifndef PROTOCOL_PARTITION_H
#define PROTOCOL_PARTITION_H

#include <stdint.h>

#define PARTITION_VERSION 1u
#define PARTITION_MESSAGE_SIZE_MAX 4096u
#define PARTITION_REPLY 0x80000000u

#define PARTITION_PAGE_SIZE 4096u
#define PARTITION_PROCESSORS_MAX 240u
#define PARTITION_RAM_RANGES_MAX 64u
#define PARTITION_SIGNALS_MAX 16384u
#define PARTITION_VECTORS 256u
#define PARTITION_TEXT_MAX 256u

/* "h" is hvhost, "m" the monitor. */
enum partition_message_type {
    /* Control connection. */
    PARTITION_HELLO = 1,   /* m -> h, answered */
    PARTITION_RAM = 2,     /* m -> h, 1 descriptor */
    PARTITION_START = 3,   /* m -> h, answered if PARTITION_HELLO_BARE */
    PARTITION_MAP = 4,     /* h -> m, 1 descriptor, answered */
    PARTITION_UNMAP = 5,   /* h -> m, answered */
    PARTITION_TRAP = 6,    /* h -> m, answered */
    PARTITION_POWER = 7,   /* both ways */
    PARTITION_GOODBYE = 8, /* both ways */
    PARTITION_LINE = 9,    /* h -> m */
    PARTITION_WATCH = 10,  /* h -> m, answered */
    PARTITION_WRITTEN = 11, /* m -> h */
    /* Processor connections, m -> h. */
    PARTITION_ATTACH = 16, /* answered */
    PARTITION_CPUID = 17,  /* answered */
    PARTITION_RDMSR = 18,  /* answered */
    PARTITION_WRMSR = 19,  /* answered */
    PARTITION_HYPERCALL = 20, /* answered */
    PARTITION_READ = 21,   /* answered */
    PARTITION_WRITE = 22,  /* posted */
};

struct partition_header {
    uint32_t type;
    uint32_t length; /* of the whole datagram */
    uint64_t cookie; /* the sender's choice, echoed in the reply */
} __attribute__((packed));

/* What the monitor can do beyond the minimum: partition_hello.flags. */
#define PARTITION_HELLO_FREQUENCY_MSRS 0x1u /* knows its TSC and APIC timer frequency */
#define PARTITION_HELLO_APIC_MSRS 0x2u      /* 0x40000070 - 0x40000072 reach its local APIC */
#define PARTITION_HELLO_FLUSH_AND_IPI 0x4u  /* TLB-flush and IPI hypercalls make sense */
#define PARTITION_HELLO_ANSWERS 0x8u        /* answers MAP, UNMAP and TRAP; if not set the host
                                               takes the range as live once it is sent */
#define PARTITION_HELLO_BOOT_SCREEN 0x10u   /* its guest starts with a picture, as after firmware:
                                               the host maps video memory at START */
#define PARTITION_HELLO_BARE 0x20u          /* has no PC devices of its own: wants the host's on
                                               ports and lines, and an answer to START */
#define PARTITION_HELLO_WATCHES 0x40u       /* serves WATCH; has PARTITION_HELLO_ANSWERS, too */
#define PARTITION_HELLO_FLAGS_ALL 0x7fu

#define PARTITION_GUEST_MODE_32 32u
#define PARTITION_GUEST_MODE_64 64u

/* HELLO: the first message of the control connection. */
struct partition_hello {
    struct partition_header header;
    uint32_t version;
    uint32_t processors; /* 1 .. PARTITION_PROCESSORS_MAX */
    uint32_t guest_mode; /* PARTITION_GUEST_MODE_* */
    uint32_t flags;      /* PARTITION_HELLO_* */
} __attribute__((packed));

/*
 * Reply to HELLO. With status 0 it carries 2 + processors descriptors: the shared page file, one
 * event descriptor a processor (h -> m: interrupts are pending), one event descriptor
 * (m -> h: signals are pending).
 */
struct partition_hello_reply {
    struct partition_header header;
    uint32_t version;
    int32_t status;        /* 0 or a negative errno */
    uint32_t signal_base;  /* connection id of bit 0 of the signal bitmap */
    uint32_t signal_count; /* <= PARTITION_SIGNALS_MAX, a multiple of 64 */
    /* Where the video memory will be: 1024 x 768, B, G, R, unused; 0: there is no such screen, or
     * the monitor did not ask for one. */
    uint32_t boot_screen;
    uint32_t generation;   /* of the virtual machine: 1 or 2 */
} __attribute__((packed));

/* RAM: a range of guest RAM, backed by the descriptor; before START; ranges do not overlap. */
struct partition_ram {
    struct partition_header header;
    uint64_t gpa;         /* these three are multiples of PARTITION_PAGE_SIZE */
    uint64_t size;
    uint64_t file_offset;
} __attribute__((packed));

/*
 * START: every processor is attached and all RAM is known; the host may act. The answer comes
 * behind the TRAPs of the devices that are there from the start.
 */
struct partition_start {
    struct partition_header header;
} __attribute__((packed));

#define PARTITION_MAP_WRITABLE 0x1u
#define PARTITION_MAP_FRAMEBUFFER 0x2u

/* MAP: the host's memory is to appear in guest-physical space. */
struct partition_map {
    struct partition_header header;
    uint64_t gpa; /* these three are multiples of PARTITION_PAGE_SIZE */
    uint64_t size;
    uint64_t file_offset;
    uint32_t flags; /* PARTITION_MAP_* */
} __attribute__((packed));

/* UNMAP: names a range that was mapped, exactly. */
struct partition_unmap {
    struct partition_header header;
    uint64_t gpa;
    uint64_t size;
} __attribute__((packed));

/*
 * WATCH: names a writable range that was mapped, exactly, of at most PARTITION_WATCH_BLOCKS_MAX
 * blocks. Which blocks of it were written since the WATCH before (all, at the first one)? From now
 * on the monitor notes writes anew, and tells of the first with WRITTEN. One range is watched at a
 * time.
 */
#define PARTITION_WATCH_BLOCK 65536u
#define PARTITION_WATCH_BLOCKS_MAX 16384u

struct partition_watch {
    struct partition_header header;
    uint64_t gpa;
    uint64_t size;
} __attribute__((packed));

/* A block whose write is seen after the answer was made is told by the next one. */
struct partition_watch_reply {
    struct partition_header header;
    int32_t status; /* 0 or a negative errno */
    uint32_t reserved;
    uint64_t written[PARTITION_WATCH_BLOCKS_MAX / 64]; /* bit n: block n, from the range's start */
} __attribute__((packed));

/* WRITTEN: the guest writes to the watched range, for the first time since WATCH. Posted. */
struct partition_written {
    struct partition_header header;
    uint64_t gpa; /* of the range */
} __attribute__((packed));

#define PARTITION_SPACE_MEMORY 0u
#define PARTITION_SPACE_PORT 1u

/* TRAP: accesses in this range come as READ and WRITE from now on, or no longer. */
struct partition_trap {
    struct partition_header header;
    uint64_t start;
    uint64_t size;
    uint32_t kind; /* PARTITION_SPACE_* */
    uint32_t on;   /* 1, or 0 naming exactly a range that was on */
} __attribute__((packed));

/* Reply to START, MAP, UNMAP, TRAP, ATTACH and WRMSR. */
struct partition_status_reply {
    struct partition_header header;
    int32_t status; /* 0 or a negative errno; WRMSR: 0, or -1: raise #GP */
} __attribute__((packed));

#define PARTITION_POWER_OFF 0u
#define PARTITION_POWER_RESET 1u
#define PARTITION_POWER_CRASHED 2u
#define PARTITION_CRASH_PARAMETERS 5u

/* POWER: the sender has done it (m -> h), or asks for it (h -> m). */
struct partition_power {
    struct partition_header header;
    uint32_t what; /* PARTITION_POWER_* */
    uint64_t crash[PARTITION_CRASH_PARAMETERS];
} __attribute__((packed));

#define PARTITION_LINES 24u

/* LINE: an interrupt line of the PC, numbered as its I/O APIC does, has changed. Posted. */
struct partition_line {
    struct partition_header header;
    uint32_t line;  /* below PARTITION_LINES */
    uint32_t level; /* 0 or 1 */
} __attribute__((packed));

/* GOODBYE: orderly end; the text, if any, fills the rest of the datagram, without a final 0. */
struct partition_goodbye {
    struct partition_header header;
    int32_t status; /* 0 or a negative errno */
    char text[];    /* <= PARTITION_TEXT_MAX */
} __attribute__((packed));

/* ATTACH: the first message of a processor connection; answered with a status reply. */
struct partition_attach {
    struct partition_header header;
    uint32_t processor; /* the virtual processor's index */
} __attribute__((packed));

#define PARTITION_CPUID_FIRST 0x40000000u
#define PARTITION_CPUID_LAST 0x400000ffu

struct partition_cpuid {
    struct partition_header header;
    uint32_t leaf;
    uint32_t subleaf;
} __attribute__((packed));

struct partition_cpuid_reply {
    struct partition_header header;
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
} __attribute__((packed));

#define PARTITION_MSR_FIRST 0x40000000u
#define PARTITION_MSR_LAST 0x400001ffu
#define PARTITION_MSR_FAULT (-1) /* status: the instruction raises #GP(0) */

struct partition_rdmsr {
    struct partition_header header;
    uint32_t index;
} __attribute__((packed));

struct partition_rdmsr_reply {
    struct partition_header header;
    int32_t status; /* 0 or PARTITION_MSR_FAULT */
    uint64_t value;
} __attribute__((packed));

struct partition_wrmsr {
    struct partition_header header;
    uint32_t index;
    uint64_t value;
} __attribute__((packed));

#define PARTITION_FAST_REGISTERS 14u

/* HYPERCALL: the registers as the guest set them. */
struct partition_hypercall {
    struct partition_header header;
    uint64_t control;
    uint64_t input;
    uint64_t output;
    /* Fast calls: input, output, then XMM0 - XMM5 as low, high pairs. Slow calls: zero. */
    uint64_t fast[PARTITION_FAST_REGISTERS];
} __attribute__((packed));

struct partition_hypercall_reply {
    struct partition_header header;
    uint64_t result;
} __attribute__((packed));

struct partition_read {
    struct partition_header header;
    uint64_t address;
    uint32_t size; /* 1, 2, 4 or 8 */
    uint32_t kind; /* PARTITION_SPACE_* */
} __attribute__((packed));

struct partition_read_reply {
    struct partition_header header;
    uint64_t value;
} __attribute__((packed));

struct partition_write {
    struct partition_header header;
    uint64_t address;
    uint32_t size; /* 1, 2, 4 or 8 */
    uint32_t kind; /* PARTITION_SPACE_* */
    uint64_t value;
} __attribute__((packed));

/*
 * The shared page file: PARTITION_PAGE_SIZE x (1 + processors) bytes.
 *
 * Page 0, signals (m -> h): bit n stands for HvSignalEvent on connection signal_base + n, flag 0.
 * The monitor sets the bit; if the 64-bit word was 0 before, it writes the signal event descriptor.
 * The host swaps words to 0. 16384 signals fill half the page.
 *
 * Page 1 + v, vectors of processor v (h -> m): the host sets the bit; if the 64-bit word was 0
 * before, it writes that processor's event descriptor. The monitor swaps words to 0 and injects
 * each vector as a fixed, edge-triggered interrupt. While `watchers` is not 0 somebody looks at the
 * words and the event need not be written: who takes himself off it looks at the words once more.
 */
struct partition_signal_page {
    uint64_t words[PARTITION_SIGNALS_MAX / 64];
    uint8_t reserved[PARTITION_PAGE_SIZE - PARTITION_SIGNALS_MAX / 8];
};

struct partition_vector_page {
    uint64_t words[PARTITION_VECTORS / 64];
    uint32_t watchers; /* the monitor's */
    uint8_t reserved[PARTITION_PAGE_SIZE - PARTITION_VECTORS / 8 - 4];
};

#define PARTITION_ASSERT(condition) _Static_assert(condition, #condition)
PARTITION_ASSERT(sizeof(struct partition_header) == 16);
PARTITION_ASSERT(sizeof(struct partition_hello) == 32);
PARTITION_ASSERT(sizeof(struct partition_hello_reply) == 40);
PARTITION_ASSERT(sizeof(struct partition_ram) == 40);
PARTITION_ASSERT(sizeof(struct partition_start) == 16);
PARTITION_ASSERT(sizeof(struct partition_map) == 44);
PARTITION_ASSERT(sizeof(struct partition_unmap) == 32);
PARTITION_ASSERT(sizeof(struct partition_watch) == 32);
PARTITION_ASSERT(sizeof(struct partition_watch_reply) == 2072);
PARTITION_ASSERT(sizeof(struct partition_written) == 24);
PARTITION_ASSERT(sizeof(struct partition_trap) == 40);
PARTITION_ASSERT(sizeof(struct partition_status_reply) == 20);
PARTITION_ASSERT(sizeof(struct partition_power) == 60);
PARTITION_ASSERT(sizeof(struct partition_line) == 24);
PARTITION_ASSERT(sizeof(struct partition_goodbye) == 20);
PARTITION_ASSERT(sizeof(struct partition_attach) == 20);
PARTITION_ASSERT(sizeof(struct partition_cpuid) == 24);
PARTITION_ASSERT(sizeof(struct partition_cpuid_reply) == 32);
PARTITION_ASSERT(sizeof(struct partition_rdmsr) == 20);
PARTITION_ASSERT(sizeof(struct partition_rdmsr_reply) == 28);
PARTITION_ASSERT(sizeof(struct partition_wrmsr) == 28);
PARTITION_ASSERT(sizeof(struct partition_hypercall) == 152);
PARTITION_ASSERT(sizeof(struct partition_hypercall_reply) == 24);
PARTITION_ASSERT(sizeof(struct partition_read) == 32);
PARTITION_ASSERT(sizeof(struct partition_read_reply) == 24);
PARTITION_ASSERT(sizeof(struct partition_write) == 40);
PARTITION_ASSERT(sizeof(struct partition_signal_page) == PARTITION_PAGE_SIZE);
PARTITION_ASSERT(sizeof(struct partition_vector_page) == PARTITION_PAGE_SIZE);
#undef PARTITION_ASSERT

#endif
