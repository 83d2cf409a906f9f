/* SPDX-License-Identifier: BSD-3-Clause */
/* The schedule that hurts: wherever the guest has told the host something, the host answers and
 * the answer is handled before the thread that told it goes on; and between any two steps of
 * writing to a ring every other thread has its turn. It is put into the kext when a test is linked
 * (pair_schedule_link_args in meson.build), so it does not depend on the seed. */
#ifndef TESTS_PAIR_PAIR_SCHEDULE_H
#define TESTS_PAIR_PAIR_SCHEDULE_H

/* From now on; before that, threads run as the seed has it. */
void pair_schedule_begin(void);
/* How often a thread wrote to a ring while another one was in the middle of its burst. */
unsigned pair_schedule_intrusions(void);
/* How often others went first. */
unsigned long pair_schedule_turns(void);

#endif
