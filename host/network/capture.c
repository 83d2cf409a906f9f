/* SPDX-License-Identifier: BSD-3-Clause */
/* The pcap file. Format: libpcap's pcap-savefile(5). */
#include "host/network/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/network/frame.h"

enum { LINK_ETHERNET = 1, MAGIC_NANOSECONDS = 0xa1b23c4d };

struct network_capture {
    FILE *file;
    uint8_t *frame;   /* a copy: completing it must not change what the network gets */
    uint8_t *segment;
};

static void write_record(void *context, struct frame *frame)
{
    struct network_capture *capture = context;
    struct timespec now;
    frame_insert_tag(frame);
    clock_gettime(CLOCK_REALTIME, &now);
    const uint32_t header[4] = {(uint32_t)now.tv_sec, (uint32_t)now.tv_nsec, (uint32_t)frame->size,
                                (uint32_t)frame->size};
    fwrite(header, sizeof(header), 1, capture->file);
    fwrite(frame->bytes, frame->size, 1, capture->file);
    fflush(capture->file); /* readers see whole frames, also after a crash */
}

void network_capture_frame(struct network_capture *capture, const struct frame *frame)
{
    if (frame->size > FRAME_SIZE_MAX) {
        return;
    }
    struct frame copy = *frame;
    copy.bytes = capture->frame + FRAME_TAG; /* room for a tag */
    memcpy(copy.bytes, frame->bytes, frame->size);
    frame_segment(&copy, capture->segment + FRAME_TAG, write_record, capture);
}

void network_capture_close(struct network_capture *capture)
{
    if (capture == NULL) {
        return;
    }
    if (capture->file != NULL) {
        fclose(capture->file);
    }
    free(capture->frame);
    free(capture->segment);
    free(capture);
}

int network_capture_open(const char *path, struct network_capture **result)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snapshot, link;
    } header = {MAGIC_NANOSECONDS, 2, 4, 0, 0, FRAME_SIZE_MAX + FRAME_TAG, LINK_ETHERNET};
    struct network_capture *capture = calloc(1, sizeof(*capture));
    if (capture == NULL) {
        return -ENOMEM;
    }
    capture->frame = malloc(FRAME_SIZE_MAX + FRAME_TAG);
    capture->segment = malloc(FRAME_SIZE_MAX + FRAME_TAG);
    capture->file = fopen(path, "wbe");
    if (capture->frame == NULL || capture->segment == NULL || capture->file == NULL) {
        int error = capture->file == NULL ? errno : ENOMEM;
        network_capture_close(capture);
        return -error;
    }
    fwrite(&header, sizeof(header), 1, capture->file);
    fflush(capture->file);
    *result = capture;
    return 0;
}
