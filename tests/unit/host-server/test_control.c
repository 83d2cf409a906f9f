/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: lines of JSON, good and bad. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/server/control_server.h"

struct bench {
    struct control_server *server;
    int client;
    struct control_ticket *held;
    char verb[32];
    char text[CONTROL_LINE_MAX];
};

static void handle(void *context, const char *verb, struct json_object *arguments,
                   struct control_ticket *ticket)
{
    struct bench *bench = context;
    snprintf(bench->verb, sizeof(bench->verb), "%s", verb);
    if (strcmp(verb, "hold") == 0) {
        bench->held = ticket;
    } else if (strcmp(verb, "refuse") == 0) {
        control_refuse(ticket, -ENOENT, "no %s", "way");
    } else if (strcmp(verb, "subscribe") == 0) {
        control_subscribe(ticket);
        control_answer(ticket, NULL);
    } else {
        struct json_object *result = json_object_new_object();
        json_object_object_add(result, "given", json_object_get(arguments));
        control_answer(ticket, result);
    }
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    bench->client = pair[0];
    assert_int_equal(control_server_adopt(pair[1], handle, bench, &bench->server), 0);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    control_server_free(bench->server);
    if (bench->client >= 0) {
        close(bench->client);
    }
    free(bench);
    return 0;
}

static void say(struct bench *bench, const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t sent = send(bench->client, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            text += sent;
            length -= (size_t)sent;
        }
        control_server_run(bench->server);
    }
    control_server_run(bench->server);
}

/* The next line from the server, without its end. */
static const char *hear(struct bench *bench)
{
    size_t used = 0;
    while (used < sizeof(bench->text) - 1) {
        ssize_t got = recv(bench->client, bench->text + used, 1, MSG_DONTWAIT);
        if (got != 1) {
            control_server_run(bench->server);
            got = recv(bench->client, bench->text + used, 1, MSG_DONTWAIT);
            assert_int_equal(got, 1);
        }
        if (bench->text[used] == '\n') {
            break;
        }
        used++;
    }
    bench->text[used] = '\0';
    return bench->text;
}

static void a_request_gets_its_answer(void **state)
{
    struct bench *bench = *state;
    say(bench, "{\"id\":7,\"verb\":\"status\",\"arguments\":{\"a\":1}}\n");
    assert_string_equal(hear(bench), "{\"id\":7,\"ok\":true,\"result\":{\"given\":{\"a\":1}}}");
}

static void a_request_in_pieces_and_two_in_one_both_work(void **state)
{
    struct bench *bench = *state;
    say(bench, "{\"verb\":\"st");
    say(bench, "atus\"}\n{\"id\":\"x\",\"verb\":\"b\"}\n\n");
    assert_string_equal(hear(bench), "{\"id\":null,\"ok\":true,\"result\":{\"given\":{}}}");
    assert_string_equal(hear(bench), "{\"id\":\"x\",\"ok\":true,\"result\":{\"given\":{}}}");
}

static void a_refusal_has_text_and_code(void **state)
{
    struct bench *bench = *state;
    say(bench, "{\"id\":1,\"verb\":\"refuse\"}\n");
    assert_string_equal(hear(bench),
                        "{\"id\":1,\"ok\":false,\"error\":\"no way\",\"code\":\"ENOENT\"}");
}

static void bad_lines_are_refused_and_the_next_works(void **state)
{
    static const char *const bad[] = {
        "nonsense\n", "{\n", "[]\n", "12\n", "\"text\"\n", "{}\n", "{\"verb\":1}\n",
        "{\"verb\":\"a\",\"arguments\":[]}\n", "{\"verb\":\"a\"} x\n", "{\"verb\":\"\xff\"}\n",
        "[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]\n", "null\n", "{'verb':'a'}\n",
    };
    struct bench *bench = *state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bench->verb[0] = '\0';
        say(bench, bad[i]);
        if (strstr(hear(bench), "\"ok\":false") == NULL) {
            fail_msg("accepted: %s", bad[i]);
        }
        assert_string_equal(bench->verb, "");
        say(bench, "{\"id\":2,\"verb\":\"good\"}\n");
        assert_non_null(strstr(hear(bench), "\"id\":2,\"ok\":true"));
    }
}

static void a_line_too_long_is_refused_once_and_skipped(void **state)
{
    struct bench *bench = *state;
    char *line = malloc(3 * CONTROL_LINE_MAX);
    memset(line, 'x', 3 * CONTROL_LINE_MAX);
    line[3 * CONTROL_LINE_MAX - 2] = '\n';
    line[3 * CONTROL_LINE_MAX - 1] = '\0';
    say(bench, line);
    free(line);
    assert_non_null(strstr(hear(bench), "too long"));
    say(bench, "{\"id\":3,\"verb\":\"good\"}\n");
    assert_non_null(strstr(hear(bench), "\"id\":3,\"ok\":true"));
}

static void an_answer_may_come_later(void **state)
{
    struct bench *bench = *state;
    say(bench, "{\"id\":1,\"verb\":\"hold\"}\n{\"id\":2,\"verb\":\"other\"}\n");
    assert_non_null(strstr(hear(bench), "\"id\":2"));
    control_answer(bench->held, NULL);
    assert_string_equal(hear(bench), "{\"id\":1,\"ok\":true,\"result\":{}}");
}

static void what_was_prepared_is_the_answer_unless_there_is_another(void **state)
{
    struct bench *bench = *state;
    say(bench, "{\"id\":1,\"verb\":\"hold\"}\n");
    control_prepare(bench->held, json_object_new_string("first"));
    control_prepare(bench->held, json_object_new_string("second"));
    control_answer(bench->held, NULL);
    assert_string_equal(hear(bench), "{\"id\":1,\"ok\":true,\"result\":\"second\"}");
    say(bench, "{\"id\":2,\"verb\":\"hold\"}\n");
    control_prepare(bench->held, json_object_new_string("not this"));
    control_answer(bench->held, json_object_new_string("this"));
    assert_string_equal(hear(bench), "{\"id\":2,\"ok\":true,\"result\":\"this\"}");
    say(bench, "{\"id\":3,\"verb\":\"hold\"}\n");
    control_prepare(bench->held, json_object_new_string("not this"));
    control_refuse(bench->held, -EIO, "no");
    assert_string_equal(hear(bench),
                        "{\"id\":3,\"ok\":false,\"error\":\"no\",\"code\":\"EIO\"}");
}

static void an_answer_to_a_client_that_left_goes_nowhere(void **state)
{
    struct bench *bench = *state;
    say(bench, "{\"id\":1,\"verb\":\"hold\"}\n");
    close(bench->client);
    bench->client = -1;
    control_server_run(bench->server);
    control_answer(bench->held, NULL);
    control_server_run(bench->server);
}

static void events_go_to_those_who_asked(void **state)
{
    struct bench *bench = *state;
    struct json_object *event = json_object_new_object();
    json_object_object_add(event, "event", json_object_new_string("one"));
    control_server_event(bench->server, json_object_get(event));
    say(bench, "{\"id\":1,\"verb\":\"subscribe\"}\n");
    assert_non_null(strstr(hear(bench), "\"ok\":true"));
    control_server_event(bench->server, event);
    assert_string_equal(hear(bench), "{\"event\":\"one\"}");
}

static void a_client_that_does_not_read_is_dropped(void **state)
{
    struct bench *bench = *state;
    char big[4096];
    memset(big, 'y', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    say(bench, "{\"id\":1,\"verb\":\"subscribe\"}\n");
    for (unsigned i = 0; i < 2 * CONTROL_BACKLOG_MAX / sizeof(big); i++) {
        struct json_object *event = json_object_new_object();
        json_object_object_add(event, "event", json_object_new_string(big));
        control_server_event(bench->server, event);
    }
    control_server_run(bench->server);
    struct pollfd entry = {.fd = bench->client, .events = POLLRDHUP};
    assert_int_equal(poll(&entry, 1, 1000), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_gets_its_answer),
        TEST(a_request_in_pieces_and_two_in_one_both_work),
        TEST(a_refusal_has_text_and_code),
        TEST(bad_lines_are_refused_and_the_next_works),
        TEST(a_line_too_long_is_refused_once_and_skipped),
        TEST(an_answer_may_come_later),
        TEST(what_was_prepared_is_the_answer_unless_there_is_another),
        TEST(an_answer_to_a_client_that_left_goes_nowhere),
        TEST(events_go_to_those_who_asked),
        TEST(a_client_that_does_not_read_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
