/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames into a pcap file that tcpdump and Wireshark read (nanosecond variant, Ethernet). */
#ifndef HOST_NETWORK_CAPTURE_H
#define HOST_NETWORK_CAPTURE_H

struct frame;
struct network_capture;

/* Creates or empties the file. 0 or a negative errno. */
int network_capture_open(const char *path, struct network_capture **capture);
/* Frames are written as they would be on a wire: cut, tagged, with their checksums. */
void network_capture_frame(struct network_capture *capture, const struct frame *frame);
/* NULL is allowed. */
void network_capture_close(struct network_capture *capture);

#endif
