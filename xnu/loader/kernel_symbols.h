/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The built-in kernel as the loader sees it: the generated export table (abi/xnu_exports.h) of the
 * chosen release.
 */
#ifndef MACHV_XNU_LOADER_KERNEL_SYMBOLS_H
#define MACHV_XNU_LOADER_KERNEL_SYMBOLS_H

#include "xnu/loader/loader.h"

/*
 * The kernel's symbols and libraries; one for the process, after xnu_tables_fill(). The KPIs have
 * the kernel's version and are compatible with 8.0.0 (10.4) on. The versions of Apple's families
 * are not known per release: each is taken to fit whatever version is asked for.
 */
const struct loader_kernel *kernel_symbols(void);

#endif
