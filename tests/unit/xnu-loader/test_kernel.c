/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel of the loader's tests.
 */
#include "tests/unit/xnu-loader/test_kernel.h"

#include <string.h>

/* Functions for the slots: they return their number. */
#define SLOT_FUNCTION(n)                                                                          \
    static int slot_##n(void *me) {                                                               \
        return 100 + n;                                                                           \
    }
SLOT_FUNCTION(0)
SLOT_FUNCTION(1)
SLOT_FUNCTION(2)
SLOT_FUNCTION(3)
SLOT_FUNCTION(4)
SLOT_FUNCTION(5)
SLOT_FUNCTION(6)
SLOT_FUNCTION(7)
SLOT_FUNCTION(8)
SLOT_FUNCTION(9)

typedef int slot_function(void *me);
static slot_function *const slot_functions[PARENT_SLOTS] = {
    slot_0, slot_1, slot_2, slot_3, slot_4, slot_5, slot_6, slot_7, slot_8, slot_9};

static const char *const usual_slots[PARENT_SLOTS] = {
    "__ZN6ParentD1Ev",
    "__ZN6ParentD0Ev",
    "__ZNK8OSObject6retainEv",
    "__ZNK6Parent12getMetaClassEv",
    "__ZN6Parent5startEPS_",
    "__ZN6Parent4stopEPS_",
    "__ZN6Parent6renameEv",
    "__ZNK6Parent5queryEi",
    "__ZN6Parent15_RESERVEDParent0Ev",
    "__ZN6Parent15_RESERVEDParent1Ev",
};

/* ---- functions that kexts call -------------------------------------------------------------- */

#define REPORTS_MAX 256u
static struct {
    const char *what;
    char text[32];
    long value;
} reports[REPORTS_MAX];
static unsigned report_count;

static void kernel_record(const char *what, long value) {
    if (report_count < REPORTS_MAX) {
        strncpy(reports[report_count].text, what, sizeof reports[0].text - 1);
        reports[report_count++].value = value;
    }
}

void test_kernel_forget(void) {
    memset(reports, 0, sizeof reports);
    report_count = 0;
}

unsigned test_kernel_count(const char *what) {
    unsigned count = 0;
    for (unsigned i = 0; i < report_count; i++) {
        count += strcmp(reports[i].text, what) == 0;
    }
    return count;
}

long test_kernel_value(const char *what) {
    for (unsigned i = report_count; i-- > 0;) {
        if (strcmp(reports[i].text, what) == 0) {
            return reports[i].value;
        }
    }
    return -1;
}

static int kernel_add(int a, int b) {
    return a + b;
}

static int metaclass_release(void *me) {
    return 200;
}

static int metaclass_pad(void *me) {
    return 201;
}

static int metaclass_dispatch(void *me) {
    return 202;
}

static int extra_function(void) {
    return 300;
}

static int kernel_value = 2;
static uintptr_t parent_gMetaClass[5];
static const char unresolved_marker;

static const struct {
    const char *name;
    const void *address;
} fixed[] = {
    {"_kernel_add", (const void *)kernel_add},
    {"_kernel_record", (const void *)kernel_record},
    {"_kernel_value", &kernel_value},
    {"_gOSKextUnresolved", &unresolved_marker},
    {"__ZN6Parent10gMetaClassE", parent_gMetaClass},
    {"__ZNK11OSMetaClass7releaseEi", (const void *)metaclass_release},
    {"__ZN15OSMetaClassBase25_RESERVEDOSMetaClassBase3Ev", (const void *)metaclass_pad},
    {"__ZN15OSMetaClassBase8DispatchE5IORPC", (const void *)metaclass_dispatch},
};
#define FIXED (sizeof fixed / sizeof fixed[0])

/* ---- the source ----------------------------------------------------------------------------- */

static bool find(void *context, const char *component, const char *name, uintptr_t *address) {
    const struct test_kernel *kernel = context;
    if (strcmp(component, "com.apple.kpi.iokit") != 0 ||
        (kernel->absent != NULL && strcmp(kernel->absent, name) == 0)) {
        return false;
    }
    if (kernel->extra != NULL && strcmp(kernel->extra, name) == 0) {
        *address = (uintptr_t)extra_function;
        return true;
    }
    if (strcmp(name, "__ZTV6Parent") == 0) {
        *address = (uintptr_t)kernel->parent_table;
        return true;
    }
    for (unsigned i = 0; i < FIXED; i++) {
        if (strcmp(fixed[i].name, name) == 0) {
            *address = (uintptr_t)fixed[i].address;
            return true;
        }
    }
    for (unsigned i = 0; i < PARENT_SLOTS && kernel->slots[i] != NULL; i++) {
        if (strcmp(kernel->slots[i], name) == 0) {
            *address = (uintptr_t)slot_functions[i];
            return true;
        }
    }
    return false;
}

static const char *name_at(void *context, uintptr_t address) {
    const struct test_kernel *kernel = context;
    for (unsigned i = 0; i < PARENT_SLOTS && kernel->slots[i] != NULL; i++) {
        if ((uintptr_t)slot_functions[i] == address) {
            return kernel->slots[i];
        }
    }
    for (unsigned i = 0; i < FIXED; i++) {
        if ((uintptr_t)fixed[i].address == address) {
            return fixed[i].name;
        }
    }
    return NULL;
}

static uintptr_t table(void *context, const char *table_symbol) {
    const struct test_kernel *kernel = context;
    if (strcmp(table_symbol, "__ZTV6Parent") == 0) {
        return (uintptr_t)kernel->parent_table;
    }
    return strcmp(table_symbol, "__ZTV11OSMetaClass") == 0 ? (uintptr_t)kernel->metaclass_table
                                                           : 0;
}

static bool library(void *context, const char *identifier, const char **version,
                    const char **compatible_version) {
    *version = "17.7.0";
    *compatible_version = "8.0.0";
    return strncmp(identifier, "com.apple.kpi.", 14) == 0;
}

void test_kernel_update(struct test_kernel *kernel) {
    memset(kernel->parent_table, 0, sizeof kernel->parent_table);
    for (unsigned i = 0; i < PARENT_SLOTS && kernel->slots[i] != NULL; i++) {
        kernel->parent_table[2 + i] = (uintptr_t)slot_functions[i];
    }
    for (unsigned i = 0; i < 26; i++) {
        kernel->metaclass_table[2 + i] =
            i >= 2 && i < 12 ? (uintptr_t)metaclass_release : (uintptr_t)metaclass_pad;
    }
}

void test_kernel_init(struct test_kernel *kernel) {
    memset(kernel, 0, sizeof *kernel);
    kernel->kernel.symbols = (struct symbol_source){kernel, find, name_at, table};
    kernel->kernel.library = library;
    memcpy(kernel->slots, usual_slots, sizeof usual_slots);
    test_kernel_update(kernel);
}

uintptr_t test_kernel_slot(unsigned slot) {
    return (uintptr_t)slot_functions[slot];
}

/* ---- the runtime ---------------------------------------------------------------------------- */

int test_runtime_status;
bool test_runtime_instances;

static int runtime_start(const struct module_code *code) {
    if (test_runtime_status != 0) {
        return test_runtime_status;
    }
    for (size_t i = 0; i < code->constructor_count; i++) {
        code->constructors[i]();
    }
    return 0;
}

static int runtime_finish(const struct module_code *code) {
    for (size_t i = 0; i < code->destructor_count; i++) {
        code->destructors[i]();
    }
    return 0;
}

static bool runtime_has_instances(const char *identifier) {
    return test_runtime_instances;
}

const struct kext_runtime test_runtime = {runtime_start, runtime_finish, runtime_has_instances};
