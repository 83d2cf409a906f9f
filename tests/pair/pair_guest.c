/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/pair/pair_guest.h"

#include "abi/IOPMrootDomain.h"
#include "match/plist.h"
#include "xnu/bsd/boot_args.h"
#include "xnu/bsd/start.h"
#include "xnu/families/graphics/framebuffer.h"
#include "xnu/iokit/root_domain.h"
#include "xnu/iokit/startup.h"
#include "xnu/libkern/module.h"
#include "xnu/libkern/release.h"
#include "xnu/libkern/start.h"
#include "xnu/loader/kernel_symbols.h"
#include "xnu/loader/loader_native.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/files.h"
#include "xnu/machine/log.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/partition.h"
#include "xnu/machine/threads.h"

#include <sys/wait.h>
#include <unistd.h>

#define IDENTIFIER "org.machv.driver.MacHyperVSupport"
#define FRAMEBUFFER_IDENTIFIER "org.machv.driver.MacHyperVFramebuffer"

enum { MEMORY = 128 << 20, SWITCHES = 200000000, QUIET_SECONDS = 60 };

static const char *const cpuid_functions[] = { "processor_cpuid", NULL };
static const struct kext_runtime runtime = { module_start, module_finish, module_has_instances };

/* The kext's module record (abi/runtime.h, IOKIT_MODULE). */
extern struct kext_info kmod_info __asm("_kmod_info");

struct session {
    struct pair pair;
    pair_body *body;      /* NULL: it is told to stop in the middle of its start */
    unsigned turns;       /* then after so many turns of other threads */
    const struct pair_options *options;
};

static void start_kernel_interfaces(const struct xnu_options *options)
{
    (void)options;
    if (xnu_bsd_start() != 0)
        machine_panic("no memory for the kernel interfaces");
}

static void add_personalities(const char *variable, const char *identifier, const char *key)
{
    const char *path = getenv(variable);
    struct plist_diagnostic why = { 0 };
    struct plist *info;
    uint8_t *text;
    size_t size;

    if (path == NULL || machine_file_read(path, PLIST_SIZE_MAX, &text, &size) != 0)
        machine_panic("%s names no Info.plist", variable);
    info = plist_parse_xml(text, size, NULL, &why);
    if (info == NULL ||
        !xnu_add_personalities(key == NULL ? info : plist_get(info, key), identifier))
        machine_panic("%s:%u: %s", path, why.line, why.text);
    machine_file_free(text);
    plist_release(info);
}

uint64_t pair_allocations(void)
{
    struct machine_memory_statistics statistics;

    machine_memory_statistics(&statistics);
    return statistics.allocations + statistics.page_allocations;
}

void pair_install_framebuffer(void)
{
    add_personalities("MACHV_FRAMEBUFFER_INFO", FRAMEBUFFER_IDENTIFIER, "IOKitPersonalities");
}

void pair_add_personalities(const char *variable)
{
    add_personalities(variable, IDENTIFIER, NULL);
}

void pair_set_power(bool on)
{
    root_domain_power(on);
}

int pair_sleep_system(void)
{
    return IOPMrootDomain_sleepSystem(IOService_getPMRootDomain());
}

static void run_session(void *argument)
{
    static struct native_kext kext = { .identifier = IDENTIFIER, .info = &kmod_info,
                                       .cpuid_functions = cpuid_functions };
    struct session *session = argument;
    struct loader_error error = { 0 };
    uint64_t since;

    startup_replace("kernel interfaces", start_kernel_interfaces);
    xnu_iokit_start(NULL);
    if (machine_partition_start() != 0)
        machine_panic("the partition does not start");
    if (session->options->before_kext != NULL)
        session->options->before_kext();
    if (native_kext_start(&kext, &runtime, &kernel_symbols()->symbols, &error) != 0)
        machine_panic("%s", error.text);
    pair_network_start();
    framebuffer_start();
    add_personalities("MACHV_KEXT_INFO", IDENTIFIER, "IOKitPersonalities");
    if (!session->options->no_framebuffer)
        pair_install_framebuffer();
    xnu_publish_resource("IOBSD");
    if (session->body != NULL) {
        PAIR_CHECK(&session->pair, xnu_wait_quiet(QUIET_SECONDS * PAIR_SECOND));
        session->body(&session->pair);
    }
    while (session->turns-- > 0)
        machine_yield();
    since = machine_uptime();
    PAIR_CHECK(&session->pair, xnu_shutdown(false));
    PAIR_CHECK(&session->pair, session->options->stop_within == 0 ||
                                   machine_uptime() - since <= session->options->stop_within);
    PAIR_CHECK(&session->pair,
               module_has_instances(IDENTIFIER) == session->options->unloading_off);
    module_report_instances(IDENTIFIER);
    PAIR_CHECK(&session->pair, pair_host_violations(session->pair.host) == 0);
    PAIR_CHECK(&session->pair, pair_host_gpadls(session->pair.host) == 0);
}

static _Noreturn void child(const struct pair_options *options, pair_body *body, unsigned turns,
                            uint64_t seed)
{
    const struct machine_configuration configuration = {
        .memory_bytes = MEMORY, .processors = options->processors != 0 ? options->processors : 2,
        .deterministic = true, .seed = seed, .switches_max = SWITCHES,
    };
    struct session session = {
        .body = body, .turns = turns, .options = options, .pair.seed = seed,
    };
    int result;

    if (options->macos != NULL && !release_select(options->macos))
        _exit(PAIR_FAILED);
    result = machine_start(&configuration);

    if (getenv("PAIR_LOG") == NULL)
        machine_log_set_output(NULL, NULL);
    if (getenv("PAIR_BOOT_ARGS") != NULL)
        boot_args_set(getenv("PAIR_BOOT_ARGS"));
    else
        boot_args_set(options->boot_args == NULL ? "" : options->boot_args);
    if (result == 0)
        session.pair.host = pair_host_attach(options);
    if (session.pair.host != NULL)
        result = machine_run("pair", run_session, &session);
    fflush(NULL);
    _exit(result != 0 || session.pair.host == NULL || session.pair.failures != 0 ? PAIR_FAILED : 0);
}

struct errand {
    struct pair *pair;
    pair_body *body;
    bool done;
};

static void do_errand(void *argument)
{
    struct errand *errand = argument;

    errand->body(errand->pair);
    __atomic_store_n(&errand->done, true, __ATOMIC_RELEASE);
    machine_wakeup(errand, false);
}

void pair_on_processor(struct pair *pair, unsigned processor, pair_body *body)
{
    struct errand errand = { .pair = pair, .body = body };
    struct machine_thread *thread = machine_thread_start_on(processor, "errand", do_errand,
                                                            &errand);

    PAIR_CHECK(pair, thread != NULL);
    while (!__atomic_load_n(&errand.done, __ATOMIC_ACQUIRE))
        pair_sleep(PAIR_SECOND / 100);
    machine_thread_release(thread);
}

static void run_child(const struct pair_options *options, pair_body *body, unsigned turns,
                      uint64_t seed)
{
    int status = 0;
    pid_t process;

    fflush(NULL);
    process = fork();
    if (process == 0)
        child(options, body, turns, seed);
    assert_int_equal(waitpid(process, &status, 0), process);
    if (status != 0)
        fprintf(stderr, "seed %llu, %u turns: %s %d; PAIR_LOG=1 shows the kernel log\n",
                (unsigned long long)seed, turns, WIFSIGNALED(status) ? "signal" : "status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    assert_int_equal(status, 0);
}

void pair_run_seed(const struct pair_options *options, pair_body *body, uint64_t seed)
{
    run_child(options, body, 0, seed);
}

void pair_run_and_stop(const struct pair_options *options, unsigned turns, uint64_t seed)
{
    run_child(options, NULL, turns, seed);
}

void pair_run(const struct pair_options *options, pair_body *body, unsigned seeds)
{
    unsigned seed;

    for (seed = 1; seed <= seeds; seed++)
        pair_run_seed(options, body, seed);
}
