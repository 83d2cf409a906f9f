/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Privileged instructions, device memory and the hypercall page, against a partition that records
 * what it is asked.
 */
#include "tests/unit/xnu-machine/machine_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the recording partition ---------------------------------------------------------------- */

static struct {
    uint64_t msr[0x200];
    uint64_t control, input, output, fast[PARTITION_FAST_WORDS];
    uint32_t signalled;
    unsigned signals, hypercalls, reads, writes;
    uint64_t address, value;
    unsigned size;
    enum machine_address_kind kind;
} seen;

static void fake_cpuid(void *partition, unsigned processor, uint32_t leaf, uint32_t subleaf,
                       uint32_t registers[4]) {
    registers[0] = leaf;
    registers[1] = subleaf;
    registers[2] = processor;
    registers[3] = 0x7263694D;
}

static bool fake_rdmsr(void *partition, unsigned processor, uint32_t index, uint64_t *value) {
    *value = seen.msr[index - 0x40000000];
    return index != 0x400000FF;
}

static bool fake_wrmsr(void *partition, unsigned processor, uint32_t index, uint64_t value) {
    seen.msr[index - 0x40000000] = value;
    return index != 0x40000020;
}

static uint64_t fake_hypercall(void *partition, unsigned processor, uint64_t control,
                               uint64_t input, uint64_t output,
                               const uint64_t fast[PARTITION_FAST_WORDS]) {
    seen.control = control;
    seen.input = input;
    seen.output = output;
    memcpy(seen.fast, fast, sizeof seen.fast);
    seen.hypercalls++;
    return 0x12;
}

static bool fake_signal(void *partition, uint32_t connection_id) {
    seen.signalled = connection_id;
    seen.signals++;
    return connection_id < 100;
}

static uint64_t fake_read(void *partition, unsigned processor, uint64_t address, unsigned size,
                          enum machine_address_kind kind) {
    seen.address = address;
    seen.size = size;
    seen.kind = kind;
    seen.reads++;
    return seen.value;
}

static void fake_write(void *partition, unsigned processor, uint64_t address, unsigned size,
                       enum machine_address_kind kind, uint64_t value) {
    seen.address = address;
    seen.size = size;
    seen.kind = kind;
    seen.value = value;
    seen.writes++;
}

static const struct partition_operations fake_operations = {
    .cpuid = fake_cpuid,
    .rdmsr = fake_rdmsr,
    .wrmsr = fake_wrmsr,
    .hypercall = fake_hypercall,
    .signal = fake_signal,
    .read = fake_read,
    .write = fake_write,
};

static void attach(void) {
    memset(&seen, 0, sizeof seen);
    machine_partition_attach(&fake_operations, NULL);
}

/* ---- instructions --------------------------------------------------------------------------- */

static uint64_t rdmsr(uint32_t index) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

static void wrmsr(uint32_t index, uint64_t value) {
    __asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void msr_body(void *argument) {
    attach();
    wrmsr(0x40000000, 0x1122334455667788);
    CHECK(seen.msr[0] == 0x1122334455667788);
    CHECK(rdmsr(0x40000000) == 0x1122334455667788);
    CHECK(rdmsr(0x1B) == 0xFEE00900);
    uint64_t value = 1;
    CHECK(!machine_rdmsr(0x400000FF, &value));
    CHECK(!machine_rdmsr(0x12345, &value));
    CHECK(!machine_wrmsr(0x40000020, 0));
    CHECK(machine_wrmsr(0x1B, 0xFEE00900) && !machine_wrmsr(0x1B, 0));
}

static void msr_instructions_reach_the_partition(void **state) {
    run_both(msr_body, NULL);
}

/* The CPUID instruction in it will be replaced; sanitizers make the function long. */
#define CPUID_FUNCTION_SIZE 400
__attribute__((noinline)) static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t r[4]) {
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "0"(leaf), "2"(subleaf));
}

static void cpuid_body(void *argument) {
    uint32_t r[4], plain[4];
    const uint8_t *start = (const uint8_t *)(uintptr_t)cpuid;
    machine_cpuid(1, 0, plain);
    CHECK((plain[2] >> 31) == 0); /* no partition: no hypervisor */
    attach();
    CHECK(traps_replace_cpuid(start, start + CPUID_FUNCTION_SIZE) >= 0);
    cpuid(0x40000005, 7, r);
    CHECK(r[0] == 0x40000005 && r[1] == 7 && r[2] == 0 && r[3] == 0x7263694D);
    cpuid(1, 0, r);
    CHECK((r[2] >> 31) == 1);
    CHECK(r[0] == plain[0] && r[3] == plain[3]);
    cpuid(0x40000100, 0, r);
    CHECK(r[0] == 0 && r[1] == 0);
}

static void cpuid_is_replaced_and_emulated(void **state) {
    run_real(cpuid_body, NULL);
    run_fibres(cpuid_body, NULL, 1);
}

static void ports_body(void *argument) {
    attach();
    CHECK(machine_trap_range(0x60, 8, MACHINE_PORT, true) == 0);
    uint8_t byte;
    seen.value = 0x55;
    __asm__ volatile("inb $0x64, %0" : "=a"(byte));
    CHECK(byte == 0x55 && seen.address == 0x64 && seen.size == 1 && seen.kind == MACHINE_PORT);
    uint64_t whole = UINT64_C(0x1234567812345678);
    __asm__ volatile("inw %%dx, %%ax" : "+a"(whole) : "d"(0x62));
    CHECK(whole == UINT64_C(0x1234567812340055) && seen.size == 2);
    __asm__ volatile("inl %%dx, %%eax" : "+a"(whole) : "d"(0x64));
    CHECK(whole == 0x55 && seen.size == 4);
    __asm__ volatile("outl %%eax, %%dx" : : "a"(0xCAFEF00D), "d"(0x60));
    CHECK(seen.value == 0xCAFEF00D && seen.address == 0x60 && seen.size == 4);
    unsigned before = seen.reads;
    __asm__ volatile("inb %%dx, %0" : "=a"(byte) : "d"((uint16_t)0x3F8));
    CHECK(byte == 0xFF && seen.reads == before); /* nobody is there */
    uint8_t words[6] = {0};
    uint8_t *to = words;
    uint64_t count = 3;
    seen.value = 0xBEEF;
    __asm__ volatile("rep insw" : "+D"(to), "+c"(count) : "d"(0x60) : "memory");
    CHECK(to == words + 6 && count == 0 && words[0] == 0xEF && words[5] == 0xBE);
    static const uint16_t out[2] = {1, 0x7777};
    const uint16_t *from = out;
    count = 2;
    __asm__ volatile("rep outsw" : "+S"(from), "+c"(count) : "d"(0x60));
    CHECK(from == out + 2 && seen.value == 0x7777);
}

static void port_instructions_reach_the_partition(void **state) {
    run_both(ports_body, NULL);
}

/* ---- the interrupt flag --------------------------------------------------------------------- */

/* pushf; cli; pushf; pop %rax; popf; ret */
static const uint8_t flag_code[] = {0x9C, 0xFA, 0x9C, 0x58, 0x9D, 0xC3};

static void flags_body(void *argument) {
    CHECK(machine_interrupts_enabled());
    __asm__ volatile("cli");
    CHECK(!machine_interrupts_enabled());
    __asm__ volatile("sti");
    CHECK(machine_interrupts_enabled());
    uint8_t *code = machine_pages_allocate(4096, 0, MACHINE_NO_LIMIT);
    memcpy(code, flag_code, sizeof flag_code);
    const uint8_t *undecoded;
    CHECK(traps_replace_instructions(code, sizeof flag_code, &undecoded) == 3);
    CHECK(undecoded == NULL && code[0] == 0xF4 && code[1] == 0xFA);
    machine_pages_protect(code, 4096, MACHINE_READ | MACHINE_EXECUTE);
    /* pushf (on), cli, pushf (off) -> rax, popf (on) */
    uint64_t (*function)(void) = (uint64_t(*)(void))(uintptr_t)code;
    uint64_t flags = function();
    CHECK((flags & 0x200) == 0);
    CHECK(machine_interrupts_enabled());
    traps_forget(code, 4096);
    machine_pages_release(code, 4096);
}

static void interrupt_flag_follows_cli_sti_and_popf(void **state) {
    run_both(flags_body, NULL);
}

/*
 * A switch: lea table(%rip), %rax; jmp *%rax; the table, whose bytes would read as pushf; then the
 * case: cpuid; ret. And one that jumps over data: jmp +2; pushf, pushf; popf; ret.
 */
static const uint8_t table_code[] = {0x48, 0x8D, 0x05, 2, 0, 0, 0, 0xFF, 0xE0, 8, 0, 0, 0,
                                     0x9C, 0x9C, 0x9C, 0x9C, 0x0F, 0xA2, 0xC3};
static const uint8_t island_code[] = {0xEB, 0x02, 0x9C, 0x9C, 0x9D, 0xC3};

static void data_between_instructions_is_left_alone(void **state) {
    uint8_t code[sizeof table_code], island[sizeof island_code];
    memcpy(code, table_code, sizeof code);
    assert_int_equal(traps_replace_instructions(code, sizeof code, NULL), 1);
    assert_memory_equal(code, table_code, 17);
    assert_int_equal(code[17], 0x0F);
    assert_int_equal(code[18], 0x0B);
    traps_forget(code, sizeof code);
    memcpy(island, island_code, sizeof island);
    assert_int_equal(traps_replace_instructions(island, sizeof island, NULL), 1);
    assert_memory_equal(island, island_code, 4);
    assert_int_equal(island[4], 0xF4);
    traps_forget(island, sizeof island);
    uint8_t truncated[] = {0x90, 0x48};
    const uint8_t *undecoded = NULL;
    assert_int_equal(traps_replace_instructions(truncated, 2, &undecoded), 0);
    assert_ptr_equal(undecoded, truncated + 1);
}

static atomic_uint interrupted;

static void on_interrupt(void *context, unsigned vector) {
    atomic_fetch_add(&interrupted, 1);
}

static void raise_later(void *argument) {
    machine_sleep(NULL, argument, machine_uptime() + 1000000, false);
    machine_interrupt_raise(0, 0x41);
}

static void halt_body(void *argument) {
    atomic_store(&interrupted, 0);
    machine_interrupt_set_entry(on_interrupt, NULL);
    struct machine_thread *thread = machine_thread_start("raise", raise_later, &interrupted);
    uint64_t a = 1, b = 2, c = 3;
    double d = 4.5;
    while (atomic_load(&interrupted) == 0) {
        __asm__ volatile("hlt" : "+a"(a), "+S"(b), "+b"(c), "+x"(d));
    }
    CHECK(a == 1 && b == 2 && c == 3 && d == 4.5);
    machine_thread_join(thread);
    machine_thread_release(thread);
}

static void halt_waits_for_an_interrupt_and_keeps_registers(void **state) {
    run_both(halt_body, NULL);
}

/* ---- device memory -------------------------------------------------------------------------- */

#define DEVICE UINT64_C(0xFE000000)

static void device_body(void *argument) {
    attach();
    CHECK(machine_trap_range(DEVICE, 4096, MACHINE_MMIO, true) == 0);
    volatile uint32_t *words = machine_virtual_address(DEVICE);
    volatile uint8_t *bytes = (volatile uint8_t *)words;
    volatile uint16_t *halves = (volatile uint16_t *)words;
    volatile uint64_t *longs = (volatile uint64_t *)words;
    words[4] = 0x12345678;
    CHECK(seen.writes == 1 && seen.address == DEVICE + 16 && seen.size == 4);
    CHECK(seen.value == 0x12345678 && seen.kind == MACHINE_MMIO);
    CHECK(words[8] == 0x12345678 && seen.address == DEVICE + 32);
    bytes[3] = 0x9A;
    CHECK(seen.size == 1 && seen.value == 0x9A && seen.address == DEVICE + 3);
    CHECK(bytes[1] == 0x9A);
    CHECK((int8_t)bytes[1] == (int8_t)0x9A);
    halves[1] = 0xFEDC;
    CHECK(seen.size == 2 && seen.value == 0xFEDC);
    int64_t extended = *(volatile int16_t *)halves;
    CHECK(extended == (int16_t)0xFEDC);
    longs[2] = UINT64_C(0xAABBCCDDEEFF0011);
    CHECK(seen.size == 8 && seen.value == UINT64_C(0xAABBCCDDEEFF0011));
    CHECK(longs[3] == UINT64_C(0xAABBCCDDEEFF0011));
    seen.value = 0xF0;
    words[0] |= 0x0F;
    CHECK(seen.value == 0xFF);
    words[0] &= ~0xF0u;
    CHECK(seen.value == 0x0F);
    words[0] += 1;
    CHECK(seen.value == 0x10);
    seen.value = 0;
    CHECK(!(words[0] & 1) && words[0] == 0);
    seen.value = 0x80000000;
    CHECK((int32_t)words[0] < 0 && words[0] > 5);
    CHECK(machine_mmio_read(DEVICE, 4) == 0x80000000);
    machine_mmio_write(DEVICE + 8, 2, 0xFFFF1234);
    CHECK(seen.value == 0x1234 && seen.address == DEVICE + 8);
}

static void absent_body(void *argument) {
    volatile uint32_t *words = machine_virtual_address(DEVICE);
    volatile uint64_t *high = machine_virtual_address(UINT64_C(0xfe0000000));
    uint32_t saved = 7;
    CHECK(words[1] == UINT32_MAX && *(volatile uint16_t *)words == 0xFFFF);
    CHECK(*high == UINT64_MAX);
    words[1] = 5;
    words[1] |= saved;
    CHECK(words[1] == UINT32_MAX);
    CHECK(machine_mmio_read(DEVICE, 2) == 0xFFFF);
    machine_mmio_write(DEVICE, 4, 1);
    attach();
    CHECK(machine_trap_range(DEVICE, 4096, MACHINE_MMIO, true) == 0);
    words[1] = 5;
    CHECK(words[1] == 5); /* one that comes is there */
    CHECK(machine_trap_range(DEVICE, 4096, MACHINE_MMIO, false) == 0);
    CHECK(words[1] == UINT32_MAX);
}

static void where_no_device_is_reads_give_all_ones(void **state) {
    run_both(absent_body, NULL);
}

static void string_body(void *argument) {
    attach();
    CHECK(machine_trap_range(DEVICE, 4096, MACHINE_MMIO, true) == 0);
    uint8_t *device = machine_virtual_address(DEVICE);
    uint32_t from[3] = {1, 2, 3}, to[3] = {0};
    uint64_t count = 3;
    void *source = from, *target = device;
    __asm__ volatile("rep movsl" : "+S"(source), "+D"(target), "+c"(count) : : "memory");
    CHECK(seen.writes == 3 && seen.value == 3 && seen.address == DEVICE + 8 && count == 0);
    source = device;
    target = to;
    count = 3;
    __asm__ volatile("rep movsl" : "+S"(source), "+D"(target), "+c"(count) : : "memory");
    CHECK(to[0] == 3 && to[2] == 3 && seen.reads == 3);
    target = device;
    count = 4;
    __asm__ volatile("rep stosb" : "+D"(target), "+c"(count) : "a"(0x5A) : "memory");
    CHECK(seen.writes == 7 && seen.value == 0x5A && seen.size == 1);
    uint64_t carry = 0;
    seen.value = 1;
    /* 1 - 2 borrows; the flags must say so. */
    __asm__ volatile("cmpl $2, (%1); sbbq %0, %0" : "+r"(carry) : "r"(device) : "cc", "memory");
    CHECK(carry == UINT64_MAX);
    uint32_t exchanged = 77;
    __asm__ volatile("xchgl %0, (%1)" : "+r"(exchanged) : "r"(device) : "memory");
    CHECK(exchanged == 1 && seen.value == 77);
}

static void device_memory_accesses_reach_the_partition(void **state) {
    run_both(device_body, NULL);
    run_both(string_body, NULL);
}

/* ---- the hypercall page --------------------------------------------------------------------- */

static uint64_t call_page(void *page, uint64_t control, uint64_t input, uint64_t output,
                          uint64_t *kept) {
    uint64_t result;
    register uint64_t r8 __asm__("r8") = output;
    uint64_t rdi = 0x1D1, rsi = 0x151;
    __asm__ volatile("movq %[value], %%xmm3\n\t"
                     "callq *%[page]\n\t"
                     "movq %%xmm3, %[kept]"
                     : "=a"(result), "+c"(control), "+d"(input), "+r"(r8), "+D"(rdi), "+S"(rsi),
                       [kept] "=m"(*kept)
                     : [page] "r"(page), [value] "r"(UINT64_C(0xABCDEF))
                     : "r9", "r10", "r11", "memory", "cc", "xmm3");
    CHECK(rdi == 0x1D1 && rsi == 0x151);
    return result;
}

static void hypercall_body(void *argument) {
    attach();
    uint8_t *page = machine_pages_allocate(4096, 0, MACHINE_NO_LIMIT);
    memset(page, 0x11, 4096);
    uint64_t kept = 0;
    wrmsr(0x40000001, machine_physical_address(page) | 1);
    CHECK(call_page(page, 0x5C, 0x1000, 0x2000, &kept) == 0x12);
    CHECK(seen.control == 0x5C && seen.input == 0x1000 && seen.output == 0x2000);
    CHECK(seen.fast[0] == 0 && kept == 0xABCDEF);
    CHECK(call_page(page, 0x1005D, 42, 0, &kept) == 0);
    CHECK(seen.signals == 1 && seen.signalled == 42 && seen.hypercalls == 1);
    /* Not in the bitmap, and a flag number other than 0: the slow way. */
    CHECK(call_page(page, 0x1005D, 101, 9, &kept) == 0x12);
    CHECK(seen.hypercalls == 2 && seen.fast[0] == 101 && seen.fast[1] == 9);
    CHECK(seen.fast[8] == 0xABCDEF); /* XMM3's low half */
    CHECK(call_page(page, 0x1005D, UINT64_C(0x10000002A), 0, &kept) == 0x12);
    CHECK(seen.hypercalls == 3 && seen.signals == 2);
    wrmsr(0x40000001, 0);
    for (unsigned i = 0; i < 4096; i++) {
        CHECK(page[i] == 0x11); /* what was underneath is back, and writable */
        page[i] = 0;
    }
    machine_pages_release(page, 4096);
}

static void hypercall_page_is_laid_over_ram_and_taken_away(void **state) {
    run_both(hypercall_body, NULL);
}

/* ---- crashes, each in a process of its own -------------------------------------------------- */

static const char *image_symbol(void *context, uintptr_t address, uint64_t *offset) {
    *offset = 0x10;
    return "_driver_function";
}

/* What drivers do in a panic: instructions that trap, on a thread that has just trapped. */
static void tell_host(void) {
    wrmsr(0x400000F0, 0x1234);
    dprintf(STDERR_FILENO, "action: the host has %llx\n", (unsigned long long)rdmsr(0x400000F0));
}

static void fault_again(void) {
    dprintf(STDERR_FILENO, "action: faults\n");
    __asm__ volatile("ud2");
}

static unsigned occurrences(const char *text, const char *part) {
    unsigned count = 0;
    for (; (text = strstr(text, part)) != NULL; text++) {
        count++;
    }
    return count;
}

static void (*actions)(void) = tell_host;
static const char *action_says = "action: the host has 1234";

static void assert_crashes(machine_thread_function *body, const char *text, const char *text2) {
    static char output[65536];
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct machine_configuration configuration = {.memory_bytes = 16u << 20};
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        machine_start(&configuration);
        machine_log_set_output(NULL, NULL);
        machine_log("the line before");
        machine_set_panic_actions(actions);
        attach();
        machine_run("driver", body, NULL);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t count;
    while ((count = read(ends[0], output + length, sizeof output - 1 - length)) > 0) {
        length += (size_t)count;
    }
    output[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != MACHINE_EXIT_CRASH ||
        strstr(output, text) == NULL || strstr(output, text2) == NULL ||
        strstr(output, "the line before") == NULL || strstr(output, "rip ") == NULL ||
        strstr(output, "): kernel trap, ") == NULL || occurrences(output, action_says) != 1 ||
        occurrences(output, "action: ") != 1) {
        fail_msg("status %x, says: %s", status, output);
    }
}

__attribute__((no_sanitize("address", "undefined"))) static void read_null(void *argument) {
    (void)*(volatile int *)(uintptr_t)0x10;
}

static void read_bad_msr(void *argument) {
    rdmsr(0x400000FF);
}

static void write_bad_msr(void *argument) {
    wrmsr(0x40000020, 5);
}

static void halt_for_good(void *argument) {
    __asm__ volatile("cli; hlt");
}

static void load_descriptor_table(void *argument) {
    static struct { uint16_t limit; uint64_t base; } __attribute__((packed)) table;
    __asm__ volatile("lidt %0" : : "m"(table));
}

static void invalid_instruction(void *argument) {
    __asm__ volatile("ud2");
}

static void overflow_stack(void *argument) {
    volatile char big[4096];
    big[0] = argument != NULL;
    if (big[0] != 2) {
        overflow_stack((void *)(uintptr_t)&big[0]);
    }
    big[1] = big[0];
}

static void unusual_device_access(void *argument) {
    machine_trap_range(DEVICE, 4096, MACHINE_MMIO, true);
    __asm__ volatile("lock cmpxchgl %%ecx, (%0)"
                     : : "r"(machine_virtual_address(DEVICE)) : "rax", "memory");
}

static void jump_into_code(void *argument) {
    static struct machine_image image = {"org.example.driver", 0, 4096, image_symbol, NULL};
    uint8_t *code = machine_pages_allocate(4096, 0, MACHINE_NO_LIMIT);
    code[0] = 0x0F;
    code[1] = 0x0B;
    machine_pages_protect(code, 4096, MACHINE_READ | MACHINE_EXECUTE);
    image.start = (uintptr_t)code;
    machine_image_add(&image);
    ((void (*)(void))(uintptr_t)code)();
}

static void call_nothing(void *argument) {
    void (*volatile nothing)(void) = NULL;
    nothing();
    __asm__ volatile(""); /* no tail call */
}

static void crashes_say_what_and_where(void **state) {
    assert_crashes(read_null, "page fault reading address 0x10", "thread \"driver\"");
    assert_crashes(read_bad_msr, "rdmsr of 0x400000ff", "general protection");
    assert_crashes(write_bad_msr, "wrmsr of 0x40000020 with 0x5", "general protection");
    assert_crashes(halt_for_good, "halted with interrupts off", "cpu 0");
    assert_crashes(load_descriptor_table, "privileged instruction that is not emulated", "");
    assert_crashes(invalid_instruction, "invalid instruction", "");
    assert_crashes(unusual_device_access, "(cmpxchg) that is not emulated", "0xfe000000");
    assert_crashes(jump_into_code, "invalid instruction",
                   "_driver_function + 0x10 in org.example.driver");
    assert_crashes(overflow_stack, "kernel stack overflow", "");
    assert_crashes(call_nothing, "executing address 0x0 after a call at 0x", "");
}

static void a_fault_in_a_panic_action_ends_the_panic(void **state) {
    actions = fault_again;
    action_says = "action: faults";
    assert_crashes(read_null, "page fault reading address 0x10", "trap, invalid instruction");
    actions = tell_host;
    action_says = "action: the host has 1234";
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msr_instructions_reach_the_partition),
        cmocka_unit_test(cpuid_is_replaced_and_emulated),
        cmocka_unit_test(port_instructions_reach_the_partition),
        cmocka_unit_test(interrupt_flag_follows_cli_sti_and_popf),
        cmocka_unit_test(data_between_instructions_is_left_alone),
        cmocka_unit_test(halt_waits_for_an_interrupt_and_keeps_registers),
        cmocka_unit_test(where_no_device_is_reads_give_all_ones),
        cmocka_unit_test(device_memory_accesses_reach_the_partition),
        cmocka_unit_test(hypercall_page_is_laid_over_ram_and_taken_away),
        cmocka_unit_test(crashes_say_what_and_where),
        cmocka_unit_test(a_fault_in_a_panic_action_ends_the_panic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
