/* SPDX-License-Identifier: BSD-3-Clause */
/* One function a command: arguments behind its name, exit status back. */
#ifndef MACHV_MATCH_KEXTMATCH_COMMANDS_H
#define MACHV_MATCH_KEXTMATCH_COMMANDS_H

int command_match(int count, char **arguments);
int command_ids(int count, char **arguments);
int command_who(int count, char **arguments);
int command_devices(int count, char **arguments);
int command_lint(int count, char **arguments);
int command_inf(int count, char **arguments);
int command_convert(int count, char **arguments);
int command_install(int count, char **arguments);
int command_uninstall(int count, char **arguments);
int command_verify(int count, char **arguments);

#endif
