/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start-up of kextrun.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "xnu/bsd/boot_args.h"
#include "xnu/bsd/kern_control_export.h"
#include "xnu/bsd/start.h"
#include "xnu/console/console.h"
#include "xnu/families/graphics/framebuffer.h"
#include "xnu/families/nbd_export.h"
#include "xnu/families/network/ethernet_stack.h"
#include "xnu/families/network/wire_export.h"
#include "xnu/iokit/startup.h"
#include "xnu/kextrun/kextrun.h"
#include "xnu/libkern/release.h"
#include "xnu/loader/kernel_symbols.h"
#include "xnu/loader/macho_format.h"
#include "xnu/machine/files.h"
#include "xnu/machine/input_log.h"
#include "xnu/machine/log.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/partition.h"

#define STEPS_MAX 16u
/* How long drivers may take to start before kextrun goes on regardless. */
#define QUIET_NS UINT64_C(30000000000)

struct step {
    const char *name;
    kextrun_step_function *run;
};

/* Before anything else is made: a word that is no bundle is the commonest mistake. */
static int find_bundles(struct kextrun *kextrun) {
    for (size_t i = 0; i < kextrun->options->kext_count; i++) {
        const char *path = kextrun->options->kexts[i];
        if (!machine_is_directory(path)) {
            return loader_fail(&kextrun->error, MACHINE_EXIT_KEXT, "%s: there is no kext bundle%s",
                               path, i == 0 && strchr(path, '.') == NULL ? ", and no such command"
                                                                         : "");
        }
    }
    return 0;
}

static int connect_partition(struct kextrun *kextrun) {
    char message[300];
    if (kextrun->options->partition == NULL) {
        return 0;
    }
    if (machine_partition_connect(kextrun->options->partition, message, sizeof message) != 0) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_PARTITION, "%s", message);
    }
    return 0;
}

static int set_boot_arguments(struct kextrun *kextrun) {
    if (strlen(kextrun->options->boot_args) >= BOOT_ARGS_MAX) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_USAGE,
                           "--boot-args: %zu characters, and the kernel takes %u: leave some out",
                           strlen(kextrun->options->boot_args), BOOT_ARGS_MAX - 1);
    }
    boot_args_set(kextrun->options->boot_args);
    return 0;
}

static void start_kernel_interfaces(const struct xnu_options *options) {
    if (xnu_bsd_start() != 0) {
        machine_panic("no memory for the kernel interfaces");
    }
}

/* Says in the log which they are. */
static bool has_instances(const char *bundle) {
    const bool found = module_has_instances(bundle);
    if (found) {
        module_report_instances(bundle);
    }
    return found;
}

static int start_kernel(struct kextrun *kextrun) {
    static const struct kext_runtime runtime = {module_start, module_finish, has_instances};
    struct xnu_options options = {0};
    if (machine_partition_boot_screen() != 0) {
        options.console = (struct xnu_console){.base = machine_partition_boot_screen(),
                                               .row_bytes = MACHINE_BOOT_SCREEN_WIDTH * 4,
                                               .width = MACHINE_BOOT_SCREEN_WIDTH,
                                               .height = MACHINE_BOOT_SCREEN_HEIGHT,
                                               .depth = 32};
    }
    startup_replace("kernel interfaces", start_kernel_interfaces);
    xnu_iokit_start(&options);
    kextrun->kernel_started = true;
    kextrun->loader = loader_create(release_number() / 100, kernel_symbols(), &runtime);
    if (kextrun->loader == NULL) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE, "no memory");
    }
    return 0;
}

/* Makes a folder for sockets unless it is there. */
static int make_folder(struct kextrun *kextrun, const char *path) {
    if (mkdir(path, 0777) != 0 && (errno != EEXIST || !machine_is_directory(path))) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE,
                           "cannot make the folder %s: %s; choose another path", path,
                           machine_error_text(errno));
    }
    return 0;
}

static int export_kernel_controls(struct kextrun *kextrun) {
    const char *folder = kextrun->options->kernel_controls;
    if (folder == NULL) {
        return 0;
    }
    if (make_folder(kextrun, folder) != 0) {
        return -1;
    }
    if (kern_control_export_start(folder) != 0) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE,
                           "cannot export kernel controls in %s", folder);
    }
    kextrun->controls_exported = true;
    return 0;
}

static int record_input(struct kextrun *kextrun) {
    const char *path = kextrun->options->input_log;
    int status = path == NULL ? 0 : machine_input_log_open(path);
    if (status != 0) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_USAGE, "--input-log %s: %s", path,
                           machine_error_text(status));
    }
    return 0;
}

static int export_disks(struct kextrun *kextrun) {
    const char *folder = kextrun->options->nbd;
    if (folder == NULL) {
        return 0;
    }
    if (make_folder(kextrun, folder) != 0) {
        return -1;
    }
    if (nbd_export_start(folder) != 0) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_USAGE,
                           "--nbd %s: the path is too long for a socket: choose a shorter one",
                           folder);
    }
    kextrun->disks_exported = true;
    return 0;
}

/* Interfaces come up in any case; en0 is connected if that is wanted. */
static int connect_network(struct kextrun *kextrun) {
    const struct kextrun_options *options = kextrun->options;
    const bool to_tap = options->net == KEXTRUN_NET_TAP;
    char message[200];
    if (options->net == KEXTRUN_NET_NONE ||
        (options->net == KEXTRUN_NET_DEFAULT && options->deterministic)) {
        ethernet_stack_start();
        return 0;
    }
    if (wire_export_start(to_tap ? &machine_tap : &machine_stack, to_tap ? options->tap : "",
                          message, sizeof message) != 0) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE, "--net %s", message);
    }
    return 0;
}

/* Framebuffers are opened in any case. */
static int open_screen(struct kextrun *kextrun) {
    framebuffer_start();
    return 0;
}

/* From now on the host may act: interrupts have somewhere to go. */
static int start_host(struct kextrun *kextrun) {
    int status = machine_partition_start();
    if (status != 0) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_PARTITION,
                           "cannot start the partition: %s", machine_error_text(status));
    }
    return 0;
}

/* On firmware's picture, until a driver brings another. */
static int start_console(struct kextrun *kextrun) {
    char title[80];
    struct console_options options = {
        .title = title,
        .boot = {.address = machine_partition_boot_screen(),
                 .width = MACHINE_BOOT_SCREEN_WIDTH,
                 .height = MACHINE_BOOT_SCREEN_HEIGHT,
                 .pitch = MACHINE_BOOT_SCREEN_WIDTH * 4,
                 .bits = 32,
                 .red = 0xff0000,
                 .green = 0xff00,
                 .blue = 0xff},
    };
    if (options.boot.address != 0) {
        options.boot.pixels = machine_virtual_address(options.boot.address);
    }
    snprintf(title, sizeof title, "machv   macOS %s   processors: %u   memory: %llu MiB",
             kextrun->options->macos, machine_processor_count(),
             (unsigned long long)kextrun->options->memory_mb);
    if (console_start(&options) != 0) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE, "no memory for the console");
    }
    return 0;
}

/* Reads a 32-bit kext as its linker would, and says that it cannot run. Always -1. */
static int check_i386(struct kextrun *kextrun, const struct bundle *bundle) {
    struct loader_error *error = &kextrun->error;
    uint8_t *file = NULL;
    const uint8_t *slice;
    size_t size = 0;
    struct macho macho;
    int status = bundle->executable == NULL
                     ? -ENOENT
                     : machine_file_read(bundle->executable, MACHO_FILE_SIZE_MAX, &file, &size);
    if (status != 0) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "%s: no executable: %s", bundle->identifier,
                           machine_error_text(status));
    }
    if (macho_slice(file, size, MACHO_PROCESSOR_I386, &slice, &size, error) == 0 &&
        macho_read(&macho, slice, size, release_number() / 100, error) == 0) {
        macho_free(&macho);
        loader_fail(error, MACHINE_EXIT_KEXT,
                    "the i386 executable is sound, but 32-bit code cannot run here");
    }
    loader_error_prefix(error, bundle->identifier);
    machine_file_free(file);
    return -1;
}

static void say_loaded(struct kextrun *kextrun, const struct bundle *bundle) {
    const struct kext *kext = loader_kext(kextrun->loader, bundle->identifier);
    if (kextrun->options->verbose && kext != NULL) {
        machine_log("kextrun: %s %s at %p, %zu bytes", bundle->identifier, bundle->version_text,
                    (void *)kext->memory, kext->memory_size);
    }
}

static int load_kexts(struct kextrun *kextrun) {
    const struct bundle *bundle;
    for (size_t i = 0; i < kextrun->options->kext_count; i++) {
        if (loader_add(kextrun->loader, kextrun->options->kexts[i], &kextrun->error) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; (bundle = loader_bundle(kextrun->loader, i)) != NULL; i++) {
        if (kextrun->options->is_i386) {
            return check_i386(kextrun, bundle);
        }
        if (loader_load(kextrun->loader, bundle->identifier, &kextrun->error) != 0) {
            return -1;
        }
        say_loaded(kextrun, bundle);
    }
    return 0;
}

static int add_personalities(struct kextrun *kextrun) {
    const struct bundle *bundle;
    for (size_t i = 0; (bundle = loader_bundle(kextrun->loader, i)) != NULL; i++) {
        if (bundle->personalities != NULL &&
            !xnu_add_personalities(bundle->personalities, bundle->identifier)) {
            return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE,
                               "%s: its personalities cannot be added", bundle->identifier);
        }
    }
    return 0;
}

static void print_text(void *context, const char *text, size_t length) {
    fwrite(text, 1, length, stdout);
}

static int wait_quiet(struct kextrun *kextrun) {
    if (!kextrun->options->ioreg) {
        return 0;
    }
    if (!xnu_wait_quiet(QUIET_NS)) {
        machine_log("kextrun: drivers are still starting after 30 seconds");
    }
    xnu_registry_print("IOService", XNU_PRINT_PROPERTIES, print_text, NULL);
    fflush(stdout);
    kextrun_request_end(kextrun, KEXTRUN_QUIT);
    return 0;
}


static const struct step default_steps[] = {
    {"bundles", find_bundles},
    {"partition", connect_partition},
    {"boot arguments", set_boot_arguments},
    {"kernel", start_kernel},
    {"kernel controls", export_kernel_controls},
    {"input log", record_input},
    {"disks", export_disks},
    {"network", connect_network},
    {"screen", open_screen},
    {"control", control_socket_listen},
    {"host", start_host},
    {"console", start_console},
    {"kexts", load_kexts},
    {"personalities", add_personalities},
    {"quiet", wait_quiet},
};

static struct step steps[STEPS_MAX];
static size_t step_count;

void steps_reset(void) {
    step_count = sizeof default_steps / sizeof default_steps[0];
    memcpy(steps, default_steps, sizeof default_steps);
}

static struct step *find(const char *name) {
    if (step_count == 0) {
        steps_reset();
    }
    for (size_t i = 0; i < step_count; i++) {
        if (strcmp(steps[i].name, name) == 0) {
            return &steps[i];
        }
    }
    return NULL;
}

bool steps_remove(const char *name) {
    struct step *step = find(name);
    if (step == NULL) {
        return false;
    }
    step_count--;
    memmove(step, step + 1, (size_t)(steps + step_count - step) * sizeof *step);
    return true;
}

bool steps_replace(const char *name, kextrun_step_function *function) {
    struct step *step = find(name);
    if (step != NULL) {
        step->run = function;
    }
    return step != NULL;
}

int steps_run(struct kextrun *kextrun) {
    find(""); /* makes sure of the list */
    for (size_t i = 0; i < step_count && atomic_load(&kextrun->end) == KEXTRUN_RUNS; i++) {
        if (steps[i].run(kextrun) != 0) {
            return -1;
        }
    }
    return 0;
}
