/* SPDX-License-Identifier: BSD-3-Clause */
/* key_layout.h - the keyboard layout that the user has chosen, for the programs that read what is
 * typed. Drivers do not learn of it. */
#ifndef XNU_FAMILIES_HID_KEY_LAYOUT_H
#define XNU_FAMILIES_HID_KEY_LAYOUT_H

struct layout;

/* From the next key on; it must live for ever. NULL: Apple's U.S. layout, as at first. */
void key_layout_choose(const struct layout *layout);

#endif
