/* SPDX-License-Identifier: BSD-3-Clause */
/* kextrun net: what a running kextrun's TCP/IP stack does for its user. */
#ifndef MACHV_XNU_KEXTRUN_NET_CLIENT_H
#define MACHV_XNU_KEXTRUN_NET_CLIENT_H

#include "xnu/kextrun/options.h"

/* Turns the words of the command into options->request; false: one line was printed. */
bool net_client_parse(struct kextrun_options *options);

/* The part after the answer "ok" of `connect` and `fetch`, on the connection; the program's exit
 * status. */
int net_client_converse(const struct kextrun_options *options, int connection);
/* True for the verbs that have such a part. */
bool net_client_converses(const struct kextrun_options *options);

#endif
