/* SPDX-License-Identifier: BSD-3-Clause */
/* The NBD engine: negotiation and requests, message by message, good and bad. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "xnu/families/nbd_protocol.h"
#include "xnu/families/nbd_wire.h"

static const struct nbd_export disk = {
    .name = "disk0",
    .description = "test disk",
    .size = 1 << 20,
    .block_size = 512,
    .preferred_size = 4096,
    .can_flush = true,
    .can_fua = true,
    .can_trim = true,
    .can_write_zeroes = true,
};

struct message {
    uint8_t bytes[NBD_OPTION_MAX + 64];
    size_t length;
};

static void add(struct message *message, const void *data, size_t length)
{
    if (length != 0)
        memcpy(message->bytes + message->length, data, length);
    message->length += length;
}

static void add16(struct message *message, uint16_t value)
{
    uint8_t bytes[2];
    be16_put(bytes, value);
    add(message, bytes, sizeof bytes);
}

static void add32(struct message *message, uint32_t value)
{
    uint8_t bytes[4];
    be32_put(bytes, value);
    add(message, bytes, sizeof bytes);
}

static void add64(struct message *message, uint64_t value)
{
    uint8_t bytes[8];
    be64_put(bytes, value);
    add(message, bytes, sizeof bytes);
}

static void add_option(struct message *message, uint32_t option, const void *data, uint32_t length)
{
    add64(message, NBD_MAGIC_OPTION);
    add32(message, option);
    add32(message, length);
    add(message, data, length);
}

static struct message go_data(const char *name, uint16_t count, const uint16_t *types)
{
    struct message data = { .length = 0 };

    add32(&data, (uint32_t)strlen(name));
    add(&data, name, strlen(name));
    add16(&data, count);
    for (uint16_t i = 0; i < count; i++)
        add16(&data, types[i]);
    return data;
}

static void feed(struct nbd_connection *c, const struct message *message)
{
    size_t used = nbd_handshake_input(c, message->bytes, message->length);
    if (c->phase < NBD_PHASE_TRANSMISSION)
        assert_int_equal(used, message->length);
}

/* A connection whose greeting was read and whose flags were accepted. */
static void negotiating(struct nbd_connection *c, const struct nbd_export *export)
{
    struct message flags = { .length = 0 };

    nbd_connection_init(c, export);
    assert_int_equal(c->output_length, 18);
    assert_int_equal(be64_get(c->output), NBD_MAGIC);
    assert_int_equal(be64_get(c->output + 8), NBD_MAGIC_OPTION);
    assert_int_equal(be16_get(c->output + 16), 3);
    nbd_output_sent(c, c->output_length);
    add32(&flags, NBD_FLAG_C_FIXED_NEWSTYLE | NBD_FLAG_C_NO_ZEROES);
    feed(c, &flags);
    assert_int_equal(c->phase, NBD_PHASE_OPTION);
}

static void transmitting(struct nbd_connection *c, const struct nbd_export *export, bool structured)
{
    struct message m = { .length = 0 };
    struct message data = go_data("", 0, NULL);

    negotiating(c, export);
    if (structured)
        add_option(&m, NBD_OPT_STRUCTURED_REPLY, NULL, 0);
    add_option(&m, NBD_OPT_GO, data.bytes, (uint32_t)data.length);
    feed(c, &m);
    assert_int_equal(c->phase, NBD_PHASE_TRANSMISSION);
    assert_int_equal(c->structured, structured);
    nbd_output_sent(c, c->output_length);
}

/* The reply at the front of the output; returns its data and drops nothing. */
static const uint8_t *reply(const struct nbd_connection *c, size_t *at, uint32_t option,
                            uint32_t type, uint32_t length)
{
    const uint8_t *r = c->output + *at;

    assert_true(*at + 20 <= c->output_length);
    assert_int_equal(be64_get(r), NBD_MAGIC_OPTION_REPLY);
    assert_int_equal(be32_get(r + 8), option);
    assert_int_equal(be32_get(r + 12), type);
    assert_int_equal(be32_get(r + 16), length);
    *at += 20 + length;
    return r + 20;
}

static void go_gives_size_flags_and_block_sizes(void **state)
{
    struct nbd_connection c;
    struct message m = { .length = 0 };
    uint16_t types[] = { NBD_INFO_BLOCK_SIZE, NBD_INFO_NAME, NBD_INFO_DESCRIPTION, NBD_INFO_NAME };
    struct message data = go_data("disk0", 4, types);
    size_t at = 0;

    negotiating(&c, &disk);
    add_option(&m, NBD_OPT_GO, data.bytes, (uint32_t)data.length);
    feed(&c, &m);
    const uint8_t *info = reply(&c, &at, NBD_OPT_GO, NBD_REP_INFO, 12);
    assert_int_equal(be16_get(info), NBD_INFO_EXPORT);
    assert_int_equal(be64_get(info + 2), disk.size);
    assert_int_equal(be16_get(info + 10), NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH |
                     NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES |
                     NBD_FLAG_CAN_MULTI_CONN);
    info = reply(&c, &at, NBD_OPT_GO, NBD_REP_INFO, 14);
    assert_int_equal(be16_get(info), NBD_INFO_BLOCK_SIZE);
    assert_int_equal(be32_get(info + 2), 512);
    assert_int_equal(be32_get(info + 6), 4096);
    assert_int_equal(be32_get(info + 10), NBD_PAYLOAD_MAX);
    info = reply(&c, &at, NBD_OPT_GO, NBD_REP_INFO, 7);
    assert_memory_equal(info + 2, "disk0", 5);
    info = reply(&c, &at, NBD_OPT_GO, NBD_REP_INFO, 11);
    assert_memory_equal(info + 2, "test disk", 9);
    reply(&c, &at, NBD_OPT_GO, NBD_REP_ACK, 0);
    assert_int_equal(at, c.output_length);
    assert_int_equal(c.phase, NBD_PHASE_TRANSMISSION);
}

static void info_answers_like_go_and_stays_in_negotiation(void **state)
{
    struct nbd_connection c;
    struct message m = { .length = 0 };
    struct message data = go_data("", 0, NULL);
    size_t at = 0;

    negotiating(&c, &disk);
    add_option(&m, NBD_OPT_INFO, data.bytes, (uint32_t)data.length);
    feed(&c, &m);
    reply(&c, &at, NBD_OPT_INFO, NBD_REP_INFO, 12);
    reply(&c, &at, NBD_OPT_INFO, NBD_REP_INFO, 14);
    reply(&c, &at, NBD_OPT_INFO, NBD_REP_ACK, 0);
    assert_int_equal(c.phase, NBD_PHASE_OPTION);
}

static void one_byte_at_a_time_is_the_same(void **state)
{
    struct nbd_connection c;
    struct message m = { .length = 0 };
    struct message data = go_data("disk0", 0, NULL);

    negotiating(&c, &disk);
    add_option(&m, NBD_OPT_LIST, NULL, 0);
    add_option(&m, NBD_OPT_GO, data.bytes, (uint32_t)data.length);
    for (size_t i = 0; i < m.length; i++)
        assert_int_equal(nbd_handshake_input(&c, m.bytes + i, 1), 1);
    assert_int_equal(c.phase, NBD_PHASE_TRANSMISSION);
    size_t at = 0;
    const uint8_t *listed = reply(&c, &at, NBD_OPT_LIST, NBD_REP_SERVER, 9);
    assert_memory_equal(listed + 4, "disk0", 5);
    reply(&c, &at, NBD_OPT_LIST, NBD_REP_ACK, 0);
    reply(&c, &at, NBD_OPT_GO, NBD_REP_INFO, 12);
}

static void input_stops_where_transmission_starts(void **state)
{
    struct nbd_connection c;
    struct message m = { .length = 0 };
    struct message data = go_data("disk0", 0, NULL);

    negotiating(&c, &disk);
    add_option(&m, NBD_OPT_GO, data.bytes, (uint32_t)data.length);
    size_t handshake = m.length;
    add32(&m, NBD_MAGIC_REQUEST);
    assert_int_equal(nbd_handshake_input(&c, m.bytes, m.length), handshake);
}

static void export_name_is_answered_with_or_without_zeroes(void **state)
{
    struct nbd_connection c;
    struct message m = { .length = 0 }, flags = { .length = 0 };

    negotiating(&c, &disk);
    add_option(&m, NBD_OPT_EXPORT_NAME, "disk0", 5);
    feed(&c, &m);
    assert_int_equal(c.phase, NBD_PHASE_TRANSMISSION);
    assert_int_equal(c.output_length, 10);
    assert_int_equal(be64_get(c.output), disk.size);

    nbd_connection_init(&c, &disk);
    nbd_output_sent(&c, c.output_length);
    add32(&flags, NBD_FLAG_C_FIXED_NEWSTYLE);
    feed(&c, &flags);
    feed(&c, &m);
    assert_int_equal(c.output_length, 134);
}

static void unknown_export_name_hangs_up(void **state)
{
    struct nbd_connection c;
    struct message m = { .length = 0 };

    negotiating(&c, &disk);
    add_option(&m, NBD_OPT_EXPORT_NAME, "disk1", 5);
    feed(&c, &m);
    assert_int_equal(c.phase, NBD_PHASE_CLOSED);
    assert_int_equal(c.output_length, 0);
}

static void abort_is_acknowledged_and_closes(void **state)
{
    struct nbd_connection c;
    struct message m = { .length = 0 };
    size_t at = 0;

    negotiating(&c, &disk);
    add_option(&m, NBD_OPT_ABORT, NULL, 0);
    feed(&c, &m);
    reply(&c, &at, NBD_OPT_ABORT, NBD_REP_ACK, 0);
    assert_int_equal(c.phase, NBD_PHASE_CLOSED);
}

static void wrong_client_flags_close(void **state)
{
    static const uint32_t wrong[] = { 0, 2, 4, 5, 0x80000001 };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct nbd_connection c;
        struct message flags = { .length = 0 };
        nbd_connection_init(&c, &disk);
        add32(&flags, wrong[i]);
        nbd_handshake_input(&c, flags.bytes, flags.length);
        assert_int_equal(c.phase, NBD_PHASE_CLOSED);
    }
}

struct bad_option {
    uint32_t option, error;
    const char *data;
    uint32_t length;
};

static void bad_options_are_refused_and_the_next_good_one_works(void **state)
{
    static const struct bad_option rows[] = {
        { 5, NBD_REP_ERR_UNSUP, "", 0 },                       /* STARTTLS */
        { 10, NBD_REP_ERR_UNSUP, "abc", 3 },                   /* SET_META_CONTEXT */
        { 999, NBD_REP_ERR_UNSUP, "", 0 },
        { NBD_OPT_LIST, NBD_REP_ERR_INVALID, "x", 1 },
        { NBD_OPT_STRUCTURED_REPLY, NBD_REP_ERR_INVALID, "x", 1 },
        { NBD_OPT_GO, NBD_REP_ERR_INVALID, "", 0 },
        { NBD_OPT_GO, NBD_REP_ERR_INVALID, "\0\0\0\0\0", 5 },
        { NBD_OPT_GO, NBD_REP_ERR_INVALID, "\0\0\0\1\0\0", 6 },          /* name runs over */
        { NBD_OPT_GO, NBD_REP_ERR_INVALID, "\xff\xff\xff\xff\0\0", 6 },
        { NBD_OPT_GO, NBD_REP_ERR_INVALID, "\0\0\0\0\0\1", 6 },          /* a request is missing */
        { NBD_OPT_GO, NBD_REP_ERR_INVALID, "\0\0\0\0\0\0x", 7 },         /* left-over byte */
        { NBD_OPT_GO, NBD_REP_ERR_UNKNOWN, "\0\0\0\5disk1\0\0", 11 },
        { NBD_OPT_INFO, NBD_REP_ERR_UNKNOWN, "\0\0\0\4disk\0\0", 10 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct nbd_connection c;
        struct message m = { .length = 0 };
        struct message data = go_data("disk0", 0, NULL);
        size_t at = 0;
        negotiating(&c, &disk);
        add_option(&m, rows[i].option, rows[i].data, rows[i].length);
        add_option(&m, NBD_OPT_GO, data.bytes, (uint32_t)data.length);
        feed(&c, &m);
        reply(&c, &at, rows[i].option, rows[i].error, 0);
        assert_int_equal(c.phase, NBD_PHASE_TRANSMISSION);
        assert_false(c.structured);
    }
}

static void oversized_option_is_skipped_and_refused(void **state)
{
    struct nbd_connection c;
    struct message header = { .length = 0 }, list = { .length = 0 };
    static const uint8_t junk[1000];
    size_t at = 0;

    negotiating(&c, &disk);
    add64(&header, NBD_MAGIC_OPTION);
    add32(&header, NBD_OPT_GO);
    add32(&header, 100000);
    feed(&c, &header);
    for (int i = 0; i < 100; i++)
        assert_int_equal(nbd_handshake_input(&c, junk, sizeof junk), sizeof junk);
    reply(&c, &at, NBD_OPT_GO, NBD_REP_ERR_TOO_BIG, 0);
    add_option(&list, NBD_OPT_LIST, NULL, 0);
    feed(&c, &list);
    reply(&c, &at, NBD_OPT_LIST, NBD_REP_SERVER, 9);
}

static void wrong_option_magic_and_endless_negotiation_close(void **state)
{
    struct nbd_connection c;
    struct message m = { .length = 0 }, list = { .length = 0 };

    negotiating(&c, &disk);
    add64(&m, NBD_MAGIC_OPTION + 1);
    add64(&m, 0);
    feed(&c, &m);
    assert_int_equal(c.phase, NBD_PHASE_CLOSED);

    negotiating(&c, &disk);
    add_option(&list, NBD_OPT_LIST, NULL, 0);
    for (int i = 0; i < 1000 && c.phase != NBD_PHASE_CLOSED; i++) {
        feed(&c, &list);
        nbd_output_sent(&c, c.output_length);
    }
    assert_int_equal(c.phase, NBD_PHASE_CLOSED);
}

static void input_waits_for_output_to_be_sent(void **state)
{
    struct nbd_connection c;
    struct message m = { .length = 0 };

    negotiating(&c, &disk);
    for (int i = 0; i < 40; i++)
        add_option(&m, NBD_OPT_LIST, NULL, 0);
    size_t used = nbd_handshake_input(&c, m.bytes, m.length);
    assert_true(used < m.length);
    assert_true(nbd_output_pending(&c));
    while (used < m.length) {
        nbd_output_sent(&c, c.output_length);
        size_t more = nbd_handshake_input(&c, m.bytes + used, m.length - used);
        assert_true(more > 0);
        used += more;
    }
    assert_int_equal(c.phase, NBD_PHASE_OPTION);
}

static void request_header(uint8_t *header, uint16_t flags, uint16_t command, uint64_t offset,
                           uint32_t length)
{
    be32_put(header, NBD_MAGIC_REQUEST);
    be16_put(header + 4, flags);
    be16_put(header + 6, command);
    be64_put(header + 8, 0x1122334455667788);
    be64_put(header + 16, offset);
    be32_put(header + 24, length);
}

static void requests_are_checked_against_the_export(void **state)
{
    static const struct {
        uint16_t flags, command;
        uint64_t offset;
        uint32_t length, error, payload;
    } rows[] = {
        { 0, NBD_CMD_READ, 0, 512, 0, 0 },
        { 0, NBD_CMD_READ, (1 << 20) - 512, 512, 0, 0 },
        { 0, NBD_CMD_READ, 1 << 20, 0, 0, 0 },
        { 0, NBD_CMD_READ, 1 << 20, 512, NBD_EINVAL, 0 },
        { 0, NBD_CMD_READ, (1 << 20) - 512, 1024, NBD_EINVAL, 0 },
        { 0, NBD_CMD_READ, UINT64_MAX - 511, 512, NBD_EINVAL, 0 },
        { 0, NBD_CMD_READ, 1, 512, NBD_EINVAL, 0 },
        { 0, NBD_CMD_READ, 512, 511, NBD_EINVAL, 0 },
        { 0, NBD_CMD_READ, 0, NBD_PAYLOAD_MAX + 512, NBD_EOVERFLOW, 0 },
        { NBD_CMD_FLAG_DF, NBD_CMD_READ, 0, 512, NBD_EINVAL, 0 },
        { NBD_CMD_FLAG_NO_HOLE, NBD_CMD_READ, 0, 512, NBD_EINVAL, 0 },
        { 0, NBD_CMD_WRITE, 0, 4096, 0, 4096 },
        { NBD_CMD_FLAG_FUA, NBD_CMD_WRITE, 0, 4096, 0, 4096 },
        { 0, NBD_CMD_WRITE, 1 << 20, 4096, NBD_ENOSPC, 4096 },
        { 0x8000, NBD_CMD_WRITE, 0, 4096, NBD_EINVAL, 4096 },
        { 0, NBD_CMD_FLUSH, 0, 0, 0, 0 },
        { 0, NBD_CMD_FLUSH, 512, 0, NBD_EINVAL, 0 },
        { 0, NBD_CMD_FLUSH, 0, 512, NBD_EINVAL, 0 },
        { 0, NBD_CMD_TRIM, 0, 1 << 20, 0, 0 },
        { 0, NBD_CMD_TRIM, 512, 1 << 20, NBD_ENOSPC, 0 },
        { NBD_CMD_FLAG_NO_HOLE, NBD_CMD_WRITE_ZEROES, 0, 512, 0, 0 },
        { 0x10, NBD_CMD_WRITE_ZEROES, 0, 512, NBD_EINVAL, 0 },   /* FAST_ZERO is not offered */
        { 0, 5, 0, 512, NBD_EINVAL, 0 },                         /* CACHE */
        { 0, 7, 0, 512, NBD_EINVAL, 0 },                         /* BLOCK_STATUS */
        { 0, 0xFFFF, 0, 512, NBD_EINVAL, 0 },
        { 0, NBD_CMD_DISC, 0, 0, 0, 0 },
    };
    struct nbd_connection c;

    transmitting(&c, &disk, false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t header[NBD_REQUEST_SIZE];
        struct nbd_request r;
        request_header(header, rows[i].flags, rows[i].command, rows[i].offset, rows[i].length);
        assert_int_equal(nbd_request_parse(&c, header, &r), 0);
        assert_int_equal(r.error, rows[i].error);
        assert_int_equal(r.payload, rows[i].payload);
        assert_int_equal(r.cookie, 0x1122334455667788);
    }
}

static void read_only_exports_refuse_changes(void **state)
{
    static const uint16_t commands[] = { NBD_CMD_WRITE, NBD_CMD_TRIM, NBD_CMD_WRITE_ZEROES };
    struct nbd_export export = disk;
    struct nbd_connection c;
    uint8_t header[NBD_REQUEST_SIZE];
    struct nbd_request r;

    export.read_only = true;
    transmitting(&c, &export, false);
    for (size_t i = 0; i < 3; i++) {
        request_header(header, 0, commands[i], 0, 512);
        assert_int_equal(nbd_request_parse(&c, header, &r), 0);
        assert_int_equal(r.error, NBD_EPERM);
    }
    request_header(header, 0, NBD_CMD_READ, 0, 512);
    assert_int_equal(nbd_request_parse(&c, header, &r), 0);
    assert_int_equal(r.error, 0);
}

static void an_export_that_grows_takes_requests_to_its_new_end(void **state)
{
    struct nbd_export export = disk;
    struct nbd_connection c;
    uint8_t header[NBD_REQUEST_SIZE];
    struct nbd_request r;

    transmitting(&c, &export, false); /* connected before */
    request_header(header, 0, NBD_CMD_WRITE, disk.size, 512);
    assert_int_equal(nbd_request_parse(&c, header, &r), 0);
    assert_int_equal(r.error, NBD_ENOSPC);
    export.size += 512;
    assert_int_equal(nbd_request_parse(&c, header, &r), 0);
    assert_int_equal(r.error, 0);
    export.size = disk.size - 512;
    request_header(header, 0, NBD_CMD_READ, disk.size - 512, 512);
    assert_int_equal(nbd_request_parse(&c, header, &r), 0);
    assert_int_equal(r.error, NBD_EINVAL);
}

static void wrong_request_magic_ends_the_connection(void **state)
{
    struct nbd_connection c;
    uint8_t header[NBD_REQUEST_SIZE] = { 0 };
    struct nbd_request r;

    transmitting(&c, &disk, false);
    assert_int_equal(nbd_request_parse(&c, header, &r), -1);
}

static void replies_have_the_negotiated_form(void **state)
{
    struct nbd_connection c;
    struct nbd_request r = { .cookie = 7, .offset = 1024, .length = 512, .command = NBD_CMD_READ };
    uint8_t out[NBD_REPLY_MAX];

    transmitting(&c, &disk, false);
    assert_int_equal(nbd_reply(&c, &r, 0, out), 16);
    assert_int_equal(be32_get(out), NBD_MAGIC_SIMPLE_REPLY);
    assert_int_equal(be64_get(out + 8), 7);
    assert_int_equal(nbd_reply(&c, &r, NBD_EIO, out), 16);
    assert_int_equal(be32_get(out + 4), NBD_EIO);

    transmitting(&c, &disk, true);
    assert_int_equal(nbd_reply(&c, &r, 0, out), 28);
    assert_int_equal(be32_get(out), NBD_MAGIC_STRUCTURED_REPLY);
    assert_int_equal(be16_get(out + 4), NBD_REPLY_FLAG_DONE);
    assert_int_equal(be16_get(out + 6), NBD_REPLY_TYPE_OFFSET_DATA);
    assert_int_equal(be32_get(out + 16), 520);
    assert_int_equal(be64_get(out + 20), 1024);
    assert_int_equal(nbd_reply(&c, &r, NBD_EIO, out), 26);
    assert_int_equal(be16_get(out + 6), NBD_REPLY_TYPE_ERROR);
    assert_int_equal(be32_get(out + 20), NBD_EIO);
    r.length = 0;
    assert_int_equal(nbd_reply(&c, &r, 0, out), 20);
    r.command = NBD_CMD_WRITE;
    assert_int_equal(nbd_reply(&c, &r, 0, out), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(go_gives_size_flags_and_block_sizes),
        cmocka_unit_test(info_answers_like_go_and_stays_in_negotiation),
        cmocka_unit_test(one_byte_at_a_time_is_the_same),
        cmocka_unit_test(input_stops_where_transmission_starts),
        cmocka_unit_test(export_name_is_answered_with_or_without_zeroes),
        cmocka_unit_test(unknown_export_name_hangs_up),
        cmocka_unit_test(abort_is_acknowledged_and_closes),
        cmocka_unit_test(wrong_client_flags_close),
        cmocka_unit_test(bad_options_are_refused_and_the_next_good_one_works),
        cmocka_unit_test(oversized_option_is_skipped_and_refused),
        cmocka_unit_test(wrong_option_magic_and_endless_negotiation_close),
        cmocka_unit_test(input_waits_for_output_to_be_sent),
        cmocka_unit_test(requests_are_checked_against_the_export),
        cmocka_unit_test(read_only_exports_refuse_changes),
        cmocka_unit_test(an_export_that_grows_takes_requests_to_its_new_end),
        cmocka_unit_test(wrong_request_magic_ends_the_connection),
        cmocka_unit_test(replies_have_the_negotiated_form),
    };
    return cmocka_run_group_tests_name("NBD protocol", tests, NULL, NULL);
}
