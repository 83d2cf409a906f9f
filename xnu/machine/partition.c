/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine's current partition, whatever implements it.
 */
#include "xnu/machine/partition.h"

#include <string.h>

#include "xnu/machine/machine_private.h"

struct partition_current partition_current;

static unsigned generation;
static uint64_t boot_screen;
static machine_power_hook *power_hook;
static void *power_context;
static machine_line_entry *line_entry;
static void *line_context;

void machine_partition_attach(const struct partition_operations *operations, void *partition) {
    partition_current.context = partition;
    partition_current.operations = operations;
    if (operations->interrupt_descriptor == NULL) {
        return;
    }
    for (unsigned i = 0; i < machine_processors_used; i++) {
        thread_engine->use_descriptor(i, operations->interrupt_descriptor(partition, i));
    }
}

int machine_partition_start(void) {
    const struct partition_operations *operations = partition_current.operations;
    if (operations == NULL || operations->start == NULL) {
        return 0;
    }
    return operations->start(partition_current.context);
}

bool machine_partition_attached(void) {
    return partition_current.operations != NULL;
}

unsigned machine_partition_generation(void) {
    return generation;
}

void machine_partition_set_generation(unsigned new_generation) {
    generation = new_generation;
}

void machine_lines_set_entry(machine_line_entry *entry, void *context) {
    line_context = context;
    __atomic_store_n(&line_entry, entry, __ATOMIC_RELEASE);
}

void machine_line_set(unsigned line, bool level) {
    machine_line_entry *entry = __atomic_load_n(&line_entry, __ATOMIC_ACQUIRE);
    if (entry != NULL && line < MACHINE_LINES) {
        entry(line_context, line, level);
    }
}

uint64_t machine_partition_boot_screen(void) {
    return boot_screen;
}

void machine_partition_set_boot_screen(uint64_t address) {
    boot_screen = address;
}

/* The engine has stopped: nobody uses the descriptors any more. */
void partition_stop(int status) {
    const struct partition_operations *operations = partition_current.operations;
    void *context = partition_current.context;
    hypercall_page_remove();
    partition_current = (struct partition_current){NULL, NULL};
    generation = 0;
    boot_screen = 0;
    power_hook = NULL;
    line_entry = NULL;
    if (operations != NULL && operations->detach != NULL) {
        operations->detach(context, status);
    }
}

void machine_partition_set_power_hook(machine_power_hook *hook, void *context) {
    power_context = context;
    __atomic_store_n(&power_hook, hook, __ATOMIC_RELEASE);
}

void machine_partition_power_event(enum machine_power what, int status, const char *reason) {
    machine_power_hook *hook = __atomic_load_n(&power_hook, __ATOMIC_ACQUIRE);
    if (machine_is_panicking()) {
        return; /* the end is near */
    }
    if (hook != NULL) {
        hook(power_context, what, status, reason);
        return;
    }
    report_line("the host ends the machine: %s", reason);
    machine_exit(status < 0 ? MACHINE_EXIT_PARTITION : MACHINE_EXIT_OK);
}

void machine_power(enum machine_power what, const uint64_t *crash) {
    const struct partition_operations *operations = partition_current.operations;
    if (operations != NULL && operations->power != NULL) {
        operations->power(partition_current.context, what, crash);
    }
    machine_power_hook *hook = __atomic_load_n(&power_hook, __ATOMIC_ACQUIRE);
    if (hook != NULL) {
        hook(power_context, what, 0,
             what == MACHINE_POWER_OFF     ? "the guest has turned itself off"
             : what == MACHINE_POWER_RESET ? "the guest has reset itself"
                                           : "the guest has crashed");
    }
}
