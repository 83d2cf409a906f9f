/* SPDX-License-Identifier: BSD-3-Clause */
/* All constants of the I/O Kit interfaces that drivers use, by area. Values are those of the newest
 * release, and a comment says where older ones differ. */
#pragma once

#include "abi/constants/graphics.h"
#include "abi/constants/input.h"
#include "abi/constants/kernel.h"
#include "abi/constants/memory.h"
#include "abi/constants/network.h"
#include "abi/constants/pci.h"
#include "abi/constants/power.h"
#include "abi/constants/results.h"
#include "abi/constants/scsi.h"
#include "abi/constants/service.h"
