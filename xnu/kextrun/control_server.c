/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: one request line a connection, the answer, close. And signals.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "xnu/bsd/mbuf_private.h"
#include "xnu/families/network/ethernet_stack.h"
#include "xnu/families/system_sleep.h"
#include "xnu/iokit/startup.h"
#include "xnu/kextrun/answer.h"
#include "xnu/kextrun/display_commands.h"
#include "xnu/kextrun/kextrun.h"
#include "xnu/kextrun/layout_command.h"
#include "xnu/kextrun/registry_commands.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/files.h"
#include "xnu/machine/log.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/stack.h"
#include "xnu/machine/threads.h"

#define REQUEST_MAX KEXTRUN_REQUEST_MAX
/* A client that neither asks nor listens is left after so long. */
#define PATIENCE_NS UINT64_C(5000000000)
/* Signals that come within this time of the first count as one with it. */
#define AGAIN_NS UINT64_C(1000000000)

/* ---- the commands --------------------------------------------------------------------------- */

static void do_ioreg(struct answer *answer, char *words) {
    const char *plane = "IOService";
    unsigned options = 0;
    for (char *word = strsep(&words, " "); word != NULL; word = strsep(&words, " ")) {
        if (strncmp(word, "plane=", 6) == 0) {
            plane = word + 6;
        } else if (strcmp(word, "properties") == 0) {
            options |= XNU_PRINT_PROPERTIES;
        } else if (strcmp(word, "json") == 0) {
            options |= XNU_PRINT_JSON;
        }
    }
    struct answer tree = {0};
    if (xnu_registry_print(plane, options, answer_append, &tree)) {
        answer_say(answer, "ok\n");
        answer_append(answer, tree.text, tree.length);
    } else {
        answer_say(answer, "error there is no plane %.80s\n", plane);
    }
    answer_free(&tree);
}

static void do_stats(const struct kextrun *kextrun, struct answer *answer) {
    struct machine_memory_statistics memory;
    struct machine_statistics machine;
    size_t kexts = 0;
    machine_memory_statistics(&memory);
    machine_statistics(&machine);
    while (kextrun->loader != NULL && loader_bundle(kextrun->loader, kexts) != NULL) {
        kexts++;
    }
#define LINE(name, value) answer_say(answer, "%s %llu\n", name, (unsigned long long)(value))
    answer_say(answer, "ok\n");
    LINE("uptime-ns", machine_uptime());
    LINE("processors", machine_processor_count());
    LINE("kexts", kexts);
    LINE("ram-bytes", memory.ram_bytes);
    LINE("pages-used", memory.pages_used);
    LINE("page-allocations", memory.page_allocations);
    LINE("allocations", memory.allocations);
    LINE("allocated-bytes", memory.allocated_bytes);
    for (unsigned i = 0; i < machine_processor_count(); i++) {
        answer_say(answer, "interrupts-cpu%u %llu\n", i, (unsigned long long)machine.interrupts[i]);
    }
    LINE("interrupts-dropped", machine.interrupts_dropped);
    LINE("trapped-instructions", machine.trapped_instructions);
    LINE("trapped-accesses", machine.trapped_accesses);
    LINE("hypercalls", machine.hypercalls);
    LINE("signals", machine.signals);
    LINE("mbuf-bytes-copied", mbuf_copied_bytes());
    LINE("nbd-bytes-moved", machine.nbd_bytes_moved);
    LINE("nbd-bytes-copied", machine.nbd_bytes_copied);
    LINE("bounce-bytes", machine.bounce_bytes);
#undef LINE
}

static void do_log(struct answer *answer) {
    char part[4096];
    uint64_t position = 0, lost;
    size_t copied;
    answer_say(answer, "ok\n");
    do {
        position = machine_log_read(position, part, sizeof part, &copied, &lost);
        answer_append(answer, part, copied);
    } while (copied != 0);
}

static void do_threads(struct answer *answer) {
    machine_report_threads();
    answer_say(answer, "ok\nthe threads are listed in the kernel log\n");
}

static void do_sleep(struct answer *answer, const char *words) {
    switch (system_sleep(words != NULL && strcmp(words, "force") == 0)) {
    case SYSTEM_SLEEPS:
        answer_say(answer, "ok\n");
        break;
    case SYSTEM_SLEEPS_ALREADY:
        answer_say(answer, "error the machine sleeps already: kextrun wake\n");
        break;
    case SYSTEM_MUST_NOT_SLEEP:
        answer_say(answer, "error a driver keeps the machine from sleeping, as a Mac's would: "
                           "--force\n");
        break;
    }
}

static void do_wake(struct answer *answer) {
    answer_say(answer, system_wake() ? "ok\n" : "error the machine does not sleep\n");
}

/* The interfaces; everything else is the TCP/IP stack's. */
static void do_net_list(struct answer *answer, const char *words) {
    answer_say(answer, "ok\n");
    ethernet_report(strcmp(words, "list json") == 0, answer_append, answer);
}

static bool is_for_stack(const char *request) {
    return strncmp(request, "net ", 4) == 0 && strncmp(request + 4, "list", 4) != 0;
}

static void respond(struct kextrun *kextrun, char *request, struct answer *answer) {
    char *words = request;
    const char *command = strsep(&words, " ");
    if (strcmp(command, "ioreg") == 0) {
        do_ioreg(answer, words);
    } else if (strcmp(command, "stats") == 0) {
        do_stats(kextrun, answer);
    } else if (strcmp(command, "log") == 0) {
        do_log(answer);
    } else if (strcmp(command, "threads") == 0) {
        do_threads(answer);
    } else if (strcmp(command, "sleep") == 0) {
        do_sleep(answer, words);
    } else if (strcmp(command, "wake") == 0) {
        do_wake(answer);
    } else if (strcmp(command, "display") == 0) {
        display_command(answer, words);
    } else if (strcmp(command, "set") == 0) {
        registry_set_command(answer, words);
    } else if (strcmp(command, "layout") == 0) {
        layout_command(answer, words);
    } else if (strcmp(command, "net") == 0 && words != NULL) {
        do_net_list(answer, words);
    } else if (strcmp(command, "panic") == 0 || strcmp(command, "quit") == 0) {
        answer_say(answer, "ok\n");
    } else {
        answer_say(answer, "usage there is no command %.40s\n", command);
    }
}

/* ---- connections ---------------------------------------------------------------------------- */

/* One line without its end; false: the client sent none. */
static bool read_request(int socket, char request[REQUEST_MAX]) {
    size_t length = 0;
    uint64_t deadline = machine_uptime() + PATIENCE_NS;
    while (length < REQUEST_MAX - 1 && machine_poll(socket, false, deadline, false) == 1) {
        ssize_t count = recv(socket, request + length, REQUEST_MAX - 1 - length, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        length += (size_t)count;
        request[length] = '\0';
        char *end = strchr(request, '\n');
        if (end != NULL) {
            *end = '\0';
            return true;
        }
    }
    return false;
}

static void write_answer(int socket, const struct answer *answer) {
    size_t sent = 0;
    uint64_t deadline = machine_uptime() + PATIENCE_NS;
    while (sent < answer->length && machine_poll(socket, true, deadline, false) == 1) {
        ssize_t count = send(socket, answer->text + sent, answer->length - sent,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN) {
            return;
        }
        sent += count > 0 ? (size_t)count : 0;
    }
}

static void serve_connection(struct kextrun *kextrun, int socket) {
    char request[REQUEST_MAX];
    struct answer answer = {0};
    bool got = read_request(socket, request);
    if (got && is_for_stack(request)) {
        machine_stack_serve(socket, request + 4);
        return;
    }
    if (got) {
        bool quit = strcmp(request, "quit") == 0;
        respond(kextrun, request, &answer);
        write_answer(socket, &answer);
        if (strcmp(request, "panic") == 0) {
            close(socket);
            machine_panic("asked for by kextrun panic");
        }
        if (quit) {
            kextrun_request_end(kextrun, KEXTRUN_QUIT);
        }
    }
    answer_free(&answer);
    close(socket);
}

static void control_thread(void *argument) {
    struct kextrun *kextrun = argument;
    while (machine_poll(kextrun->listener, false, MACHINE_NEVER, false) == 1) {
        int socket = accept4(kextrun->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (socket >= 0) {
            serve_connection(kextrun, socket);
        }
    }
}

/* A socket file that nobody listens to is left over from a run that crashed. */
static void remove_stale(const struct sockaddr_un *address) {
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        return;
    }
    if (connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED) {
        unlink(address->sun_path);
    }
    close(probe);
}

int control_socket_listen(struct kextrun *kextrun) {
    const char *path = kextrun->options->control;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL) {
        return 0;
    }
    if (strlen(path) >= sizeof address.sun_path) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_USAGE, "the path %s is too long", path);
    }
    strcpy(address.sun_path, path);
    remove_stale(&address);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 8) != 0) {
        int error = errno;
        if (listener >= 0) {
            close(listener);
        }
        return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE, "cannot listen at %s: %s", path,
                           machine_error_text(error));
    }
    kextrun->listener = listener;
    struct machine_thread *thread = machine_thread_start("control", control_thread, kextrun);
    if (thread == NULL) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE, "no memory");
    }
    machine_thread_release(thread);
    return 0;
}

void control_socket_close(struct kextrun *kextrun) {
    if (kextrun->listener >= 0) {
        unlink(kextrun->options->control);
    }
}

/* ---- signals -------------------------------------------------------------------------------- */

/*
 * The first asks for an orderly end, one that comes a second later does not wait for it. (Programs
 * such as timeout(1) send two at once.)
 */
static void signal_thread(void *argument) {
    struct kextrun *kextrun = argument;
    struct signalfd_siginfo information;
    uint64_t first = 0;
    while (machine_poll(kextrun->signals, false, MACHINE_NEVER, false) == 1) {
        if (read(kextrun->signals, &information, sizeof information) !=
            (ssize_t)sizeof information) {
            continue;
        }
        if (first != 0 && machine_uptime() < first + AGAIN_NS) {
            continue;
        }
        if (first != 0) {
            control_socket_close(kextrun);
            fprintf(stderr, "kextrun: ended by a second signal\n");
            machine_exit(MACHINE_EXIT_FAILURE);
        }
        first = machine_uptime();
        kextrun_request_end(kextrun, KEXTRUN_QUIT);
    }
}

int signals_listen(struct kextrun *kextrun) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    kextrun->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    struct machine_thread *thread =
        kextrun->signals < 0 ? NULL : machine_thread_start("signals", signal_thread, kextrun);
    if (thread == NULL) {
        return loader_fail(&kextrun->error, MACHINE_EXIT_FAILURE, "no memory");
    }
    machine_thread_release(thread);
    return 0;
}
