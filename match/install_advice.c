/* SPDX-License-Identifier: BSD-3-Clause */
/* What each release asks for besides the files (Apple: kext tools, SIP and approval documentation).
 */
#include "match/install.h"

struct advice {
    unsigned from;
    unsigned to;
    int only;     /* 1: for signed kexts, 0: for unsigned ones, -1: for all */
    bool removal; /* asked for after a removal too */
    const char *text;
};

static const struct advice advice[] = {
    { 1004, 1008, -1, false,
      "this release reads System/Library/Extensions alone: Library/Extensions counts from 10.9 "
      "on" },
    { 1004, 1005, -1, true, "rebuild the cache: kextcache -m /System/Library/Extensions.mkext" },
    { 1006, 1006, -1, true,
      "rebuild the cache: the touched folder makes kextd do it, or kextcache -system-mkext" },
    { 1007, 1010, -1, true,
      "the touched folder makes kextd rebuild the kernel cache (kextcache -u /)" },
    { 1011, 1015, -1, true,
      "rebuild the prelinked kernel: the touched folder makes kextd do it, or kextcache -i /" },
    { 1009, 1009, 0, false,
      "the kext shows no signature: this release refuses it in Library/Extensions" },
    { 1010, 1010, 0, false, "the kext shows no signature: boot with kext-dev-mode=1" },
    { 1011, 1016, 0, false,
      "the kext shows no signature: SIP must allow it (csrutil enable --without kext, csr bit "
      "0x1)" },
    { 1013, 1015, -1, false,
      "allow the developer once in System Preferences, Security & Privacy (csr bit 0x200 skips "
      "it)" },
    { 1014, 1015, 1, false, "from 10.14.5 on a Developer ID kext must be notarized as well" },
    { 1100, 9999, -1, true,
      "touching the folder does nothing here: kmutil install, or kextcache -i /, builds the "
      "auxiliary "
      "collection" },
    { 1100, 9999, -1, false, "approve the kext in the settings (Privacy & Security) when asked" },
    { 1100, 9999, 0, false,
      "the kext shows no signature: SIP must allow it (csr bit 0x1; 0x800 too for a sealed "
      "volume)" },
    { 1004, 9999, -1, true, "restart" },
};

size_t install_advice(unsigned release, enum install_kind kind, const char **lines, size_t room)
{
    size_t count = 0;
    size_t index;

    if (release == 0)
        release = 2600;
    for (index = 0; index < sizeof advice / sizeof *advice && count < room; index++)
        if (release >= advice[index].from && release <= advice[index].to &&
            (kind == INSTALL_REMOVAL
                 ? advice[index].removal
                 : advice[index].only < 0 || advice[index].only == (kind == INSTALL_SIGNED)))
            lines[count++] = advice[index].text;
    return count;
}
