/* SPDX-License-Identifier: BSD-3-Clause */
/* hvsetup image */
#include "setup/hvsetup/options.h"
#include "setup/installer_image.h"

int command_image(const struct options *options)
{
    struct setup_error error;
    struct report report = {0};
    struct report_style style = options_style(options);
    if (options->positional_count != 2) {
        return complain(options, EXIT_UNREADABLE,
                        "image: a .dmg and the name of the image to write are meant");
    }
    bool ok = installer_image(options->positional[0], options->positional[1], &report, &error);
    if (ok) {
        report_print(&report, &style, stdout);
    } else {
        complain(options, EXIT_UNREADABLE, error.text);
    }
    report_free(&report);
    return ok ? EXIT_CLEAN : EXIT_UNREADABLE;
}
