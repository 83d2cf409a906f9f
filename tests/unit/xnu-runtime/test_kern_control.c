/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel controls: registration, connecting, messages both ways, errors; and the sockets for
 * processes. */
#include "tests/unit/xnu-runtime/runtime_test.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "abi/constants.h"
#include "abi/kpi/kern_control.h"
#include "abi/kpi/mbuf.h"

#include "xnu/bsd/kern_control.h"
#include "xnu/bsd/kern_control_export.h"
#include "xnu/bsd/mbuf_private.h"

/* Darwin's numbers; the C library's are in the way. */
enum { D_ENOENT = 2, D_EBUSY = 16, D_EEXIST = 17, D_EINVAL = 22, D_EAGAIN = 35, D_EMSGSIZE = 40,
       D_EPROTOTYPE = 41, D_ENOTSUP = 45, D_ENOBUFS = 55, D_EPERM = 1 };

static unsigned connects, disconnects, sends;
static char received[64];
static size_t received_length;
static uint32_t last_unit;
static kern_ctl_ref handle;
static int connect_error;

static errno_t on_connect(kern_ctl_ref ref, struct sockaddr_ctl *address, void **info)
{
    connects++;
    last_unit = address->sc_unit;
    *info = &connects;
    CHECK(address->sc_len == 32 && address->sc_family == 32 && address->ss_sysaddr == 2);
    return connect_error;
}

static errno_t on_disconnect(kern_ctl_ref ref, uint32_t unit, void *info)
{
    CHECK(info == &connects);
    disconnects++;
    return 0;
}

static errno_t on_send(kern_ctl_ref ref, uint32_t unit, void *info, mbuf_t packet, int flags)
{
    CHECK(ref == handle && info == &connects);
    received_length = mbuf_pkthdr_len(packet);
    mbuf_copydata(packet, 0, received_length < 64 ? received_length : 64, received);
    mbuf_freem(packet);
    sends++;
    ctl_enqueuedata(ref, unit, "answer", 6, CTL_DATA_EOR);
    return 0;
}

static errno_t on_getopt(kern_ctl_ref ref, uint32_t unit, void *info, int option, void *data,
                         size_t *size)
{
    if (data && *size >= 4)
        memcpy(data, "opt!", 4);
    *size = 4;
    return 0;
}

static struct kern_ctl_reg registration(const char *name, uint32_t flags)
{
    struct kern_ctl_reg r = { .ctl_flags = flags, .ctl_connect = on_connect,
                              .ctl_disconnect = on_disconnect, .ctl_send = on_send,
                              .ctl_getopt = on_getopt };

    strncpy(r.ctl_name, name, sizeof r.ctl_name);
    return r;
}

static void registration_is_checked_body(void *argument)
{
    struct kern_ctl_reg r = registration("", 0), unnamed = registration("x", 0);
    kern_ctl_ref other;

    CHECK(ctl_register(NULL, &other) == D_EINVAL);
    CHECK(ctl_register(&r, &other) == D_EINVAL);
    memset(unnamed.ctl_name, 'a', sizeof unnamed.ctl_name);
    CHECK(ctl_register(&unnamed, &other) == D_EINVAL);
    r = registration("org.test", 0);
    r.ctl_connect = NULL;
    CHECK(ctl_register(&r, &other) == D_EINVAL);
    r = registration("org.test", 0);
    CHECK(ctl_register(&r, &handle) == 0);
    CHECK(r.ctl_id != 0 && r.ctl_sendsize == 2048 && r.ctl_recvsize == 8192);
    CHECK(ctl_register(&r, &other) == D_EEXIST);
    uint32_t id;
    CHECK(control_id("org.test", &id) == 0 && id == r.ctl_id);
    CHECK(control_id("org.other", &id) == D_ENOENT);
    CHECK(ctl_deregister(handle) == 0);
    CHECK(ctl_deregister(handle) == D_EINVAL);
    CHECK(ctl_register(&r, &handle) == 0 && r.ctl_id != id);
}

static void registration_is_checked(void **state)
{
    run_runtime(registration_is_checked_body);
}

static void connecting_follows_the_rules_body(void *argument)
{
    struct kern_ctl_reg r = registration("org.test", CTL_FLAG_PRIVILEGED);
    struct control_client *first, *second, *third;

    ctl_register(&r, &handle);
    CHECK(control_connect(r.ctl_id + 1, 0, false, true, &first) == D_ENOENT);
    CHECK(control_connect(r.ctl_id, 0, true, true, &first) == D_EPROTOTYPE);
    CHECK(control_connect(r.ctl_id, 0, false, false, &first) == D_EPERM);
    CHECK(connects == 0);
    CHECK(control_connect(r.ctl_id, 0, false, true, &first) == 0 && last_unit == 1);
    CHECK(control_connect(r.ctl_id, 7, false, true, &second) == 0 && last_unit == 7);
    CHECK(control_connect(r.ctl_id, 7, false, true, &third) == D_EBUSY);
    CHECK(control_connect(r.ctl_id, 0, false, true, &third) == 0 && last_unit == 2);
    CHECK(ctl_deregister(handle) == D_EBUSY);
    control_close(first);
    CHECK(control_connect(r.ctl_id, 0, false, true, &first) == 0 && last_unit == 1);
    connect_error = D_EBUSY;
    struct control_client *refused;
    unsigned before = disconnects;
    CHECK(control_connect(r.ctl_id, 0, false, true, &refused) == D_EBUSY);
    CHECK(disconnects == before + 1); /* 10.7 and later also tell of the end of what never began */
    control_close(first);
    control_close(second);
    control_close(third);
    CHECK(ctl_deregister(handle) == 0);
}

static void connecting_follows_the_rules(void **state)
{
    run_runtime(connecting_follows_the_rules_body);
}

static void messages_keep_their_bounds_body(void *argument)
{
    struct kern_ctl_reg r = registration("org.test", 0);
    struct control_client *client;
    char data[9000];
    size_t length;
    bool complete;

    r.ctl_sendsize = 100;
    ctl_register(&r, &handle);
    control_connect(r.ctl_id, 0, false, true, &client);
    CHECK(control_send(client, "question", 8) == 0 && sends == 1);
    CHECK(received_length == 8 && memcmp(received, "question", 8) == 0);
    CHECK(control_send(client, data, 101) == D_EMSGSIZE && sends == 1);
    CHECK(control_receive(client, data, sizeof data, &length, &complete) == 0);
    CHECK(length == 6 && complete && memcmp(data, "answer", 6) == 0);
    CHECK(control_receive(client, data, sizeof data, &length, &complete) == D_EAGAIN);
    CHECK(mbuf_count() == 0);
    /* Without EOR messages merge; a short buffer loses the rest. */
    CHECK(ctl_enqueuedata(handle, 1, "ab", 2, 0) == 0);
    CHECK(ctl_enqueuedata(handle, 1, "cd", 2, CTL_DATA_EOR) == 0);
    CHECK(ctl_enqueuedata(handle, 1, "ef", 2, CTL_DATA_EOR) == 0);
    CHECK(control_receive(client, data, 3, &length, &complete) == 0 && length == 3);
    CHECK(memcmp(data, "abc", 3) == 0);
    CHECK(control_receive(client, data, 9, &length, NULL) == 0 && length == 2 && data[0] == 'e');
    control_close(client);
}

static void messages_keep_their_bounds(void **state)
{
    run_runtime(messages_keep_their_bounds_body);
}

static void the_receive_buffer_is_finite_body(void *argument)
{
    struct kern_ctl_reg r = registration("org.test", 0);
    struct control_client *client;
    static char data[1000];
    size_t space, length;
    mbuf_t packet;

    r.ctl_recvsize = 1000;
    ctl_register(&r, &handle);
    control_connect(r.ctl_id, 0, false, true, &client);
    CHECK(ctl_getenqueuespace(handle, 1, &space) == 0 && space == 1000);
    CHECK(ctl_getenqueuespace(handle, 9, &space) == D_EINVAL);
    CHECK(ctl_enqueuedata(handle, 9, data, 1, 0) == D_EINVAL);
    CHECK(ctl_enqueuedata(handle, 1, data, 600, CTL_DATA_EOR) == 0);
    CHECK(ctl_enqueuedata(handle, 1, data, 600, CTL_DATA_EOR) == D_ENOBUFS);
    mbuf_getpacket(MBUF_WAITOK, &packet);
    mbuf_setlen(packet, 600);
    CHECK(ctl_enqueuembuf(handle, 1, packet, CTL_DATA_EOR) == D_ENOBUFS);
    mbuf_setlen(packet, 400);
    CHECK(ctl_enqueuembuf(handle, 1, packet, CTL_DATA_EOR) == 0);   /* consumed now */
    CHECK(mbuf_count() == 0);
    CHECK(ctl_getenqueuespace(handle, 1, &space) == 0 && space == 0);
    control_receive(client, data, sizeof data, &length, NULL);
    CHECK(ctl_getenqueuespace(handle, 1, &space) == 0 && space == 600);
    char option[8];
    length = sizeof option;
    CHECK(control_getopt(client, 1, option, &length) == 0 && length == 4);
    CHECK(control_setopt(client, 1, option, 4) == D_ENOTSUP);
    control_close(client);
}

static void the_receive_buffer_is_finite(void **state)
{
    run_runtime(the_receive_buffer_is_finite_body);
}

static void overrun_body(void *argument)
{
    struct kern_ctl_reg r = registration("org.test", 0);
    struct control_client *client;
    char option[2];
    size_t length = sizeof option;

    ctl_register(&r, &handle);
    control_connect(r.ctl_id, 0, false, true, &client);
    control_getopt(client, 1, option, &length);
}

static void an_option_longer_than_the_buffer_panics(void **state)
{
    run_runtime_panic(overrun_body);
}

/* ---- sockets -------------------------------------------------------------------------------- */

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    CHECK(connect(s, (struct sockaddr *)&address, sizeof address) == 0);
    return s;
}

static ssize_t receive(int s, char *data, size_t size)
{
    CHECK(machine_poll(s, false, machine_uptime() + 5000 * MS, false) == 1);
    return recv(s, data, size, 0);
}

static void a_process_talks_over_a_socket_body(void *argument)
{
    struct kern_ctl_reg r = registration("org.machv.test", 0);
    char directory[] = "/tmp/machv-control-XXXXXX", path[96], data[64];

    CHECK(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/org.machv.test", directory);
    CHECK(kern_control_export_start(directory) == 0);
    CHECK(ctl_register(&r, &handle) == 0);
    int s = connect_to(path);
    CHECK(send(s, "question", 8, 0) == 8);
    CHECK(receive(s, data, sizeof data) == 6 && memcmp(data, "answer", 6) == 0);
    CHECK(sends == 1 && connects == 1);
    ctl_enqueuedata(handle, 1, "ab", 2, 0);
    ctl_enqueuedata(handle, 1, "cd", 2, 0);
    CHECK(receive(s, data, sizeof data) == 4);       /* merged, and sent although it has no end */
    int second = connect_to(path);
    while (connects < 2)
        sleep_ms(1);
    close(second);
    close(s);
    while (disconnects < 2)
        sleep_ms(1);
    while (ctl_deregister(handle) == D_EBUSY)
        sleep_ms(1);
    CHECK(access(path, F_OK) != 0);
    kern_control_export_stop();
    rmdir(directory);
}

static void a_process_talks_over_a_socket(void **state)
{
    run_runtime_real(a_process_talks_over_a_socket_body);
}

/* The driver goes on until neither the socket nor the queue behind it takes more; then the process
 * reads one. */
static void a_process_that_reads_late_gets_all_in_order_body(void *argument)
{
    enum { RECORDS = 3000, SIZE = 4096 };
    struct kern_ctl_reg r = registration("org.machv.late", 0);
    char directory[] = "/tmp/machv-control-XXXXXX";
    static char path[96], data[SIZE];
    unsigned queued = 0, full = 0, before = connects;

    r.ctl_recvsize = 4 * SIZE;
    CHECK(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/org.machv.late", directory);
    CHECK(kern_control_export_start(directory) == 0);
    CHECK(ctl_register(&r, &handle) == 0);
    int s = connect_to(path);
    while (connects == before)
        sleep_ms(1);
    for (unsigned got = 0; got < RECORDS; got++) {
        while (queued < RECORDS) {
            memcpy(data, &queued, sizeof queued);
            errno_t error = ctl_enqueuedata(handle, last_unit, data, SIZE, CTL_DATA_EOR);
            full += error == D_ENOBUFS;
            if (error != 0)
                break;
            queued++;
        }
        CHECK(receive(s, data, SIZE) == SIZE && memcmp(data, &got, sizeof got) == 0);
    }
    CHECK(queued == RECORDS && full > 0);
    close(s);
    while (ctl_deregister(handle) == D_EBUSY)
        sleep_ms(1);
    kern_control_export_stop();
    rmdir(directory);
}

static void a_process_that_reads_late_gets_all_in_order(void **state)
{
    run_runtime_real(a_process_that_reads_late_gets_all_in_order_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registration_is_checked),
        cmocka_unit_test(connecting_follows_the_rules),
        cmocka_unit_test(messages_keep_their_bounds),
        cmocka_unit_test(the_receive_buffer_is_finite),
        cmocka_unit_test(an_option_longer_than_the_buffer_panics),
        cmocka_unit_test(a_process_talks_over_a_socket),
        cmocka_unit_test(a_process_that_reads_late_gets_all_in_order),
    };
    return cmocka_run_group_tests_name("kernel controls", tests, NULL, NULL);
}
