/* SPDX-License-Identifier: BSD-3-Clause */
/* Scan codes of the PC's set 1 -> ADB key codes, which macOS's keyboards speak.
 *
 * Sources: Microsoft's USB HID to PS/2 translation table, Apple's IOHIDFamily (USB usage to ADB).
 */
#ifndef KEXT_INPUT_SCAN_CODES_H
#define KEXT_INPUT_SCAN_CODES_H

#include <stdbool.h>
#include <stdint.h>

#define ADB_NONE          0x80u         /* the key has no code */
#define ADB_CODES         0x80u         /* codes are below this */
#define ADB_LEFT_COMMAND  0x37u
#define ADB_LEFT_SHIFT    0x38u
#define ADB_CAPS_LOCK     0x39u
#define ADB_LEFT_OPTION   0x3Au
#define ADB_LEFT_CONTROL  0x3Bu
#define ADB_RIGHT_SHIFT   0x3Cu
#define ADB_RIGHT_OPTION  0x3Du
#define ADB_RIGHT_CONTROL 0x3Eu
#define ADB_RIGHT_COMMAND 0x36u
#define ADB_RETURN        0x24u
#define ADB_TAB           0x30u
#define ADB_SPACE         0x31u
#define ADB_BACKSPACE     0x33u
#define ADB_ESCAPE        0x35u
#define ADB_PAUSE         0x71u
#define ADB_SECTION       0x0Au         /* ISO keyboards: left of Z */
#define ADB_GRAVE         0x32u

/* The code of the key, or ADB_NONE. Any `code`; `e0`: with that prefix. */
uint8_t scan_code_to_adb(uint32_t code, bool e0);

#endif
