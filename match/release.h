/* SPDX-License-Identifier: BSD-3-Clause */
/* Releases of macOS by number: 1004 - 1015 for 10.4 - 10.15, 1100, 1200 ... for 11, 12 ... */
#ifndef MACHV_MATCH_RELEASE_H
#define MACHV_MATCH_RELEASE_H

/* "10.9", "10.15.4", "11", "13.2" as a release number; 0 for anything else. */
unsigned release_parse(const char *text);
/* Major version of its Darwin kernel, which is also the version of its KPI bundles (10.4: 8, 11:
 * 20, 26: 25). */
unsigned release_darwin(unsigned release);
/* "10.9" or "13" in `text`, which has 16 bytes; "newest" for 0. */
const char *release_format(unsigned release, char text[16]);

#endif
