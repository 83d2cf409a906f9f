/* SPDX-License-Identifier: BSD-3-Clause */
/* Tokens, brackets and command parameters. */
#include "powershell_syntax.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { COMPLAINT = 200, DEPTH_MAX = 32, WORD_MAX = 512 };

/* Parameters by the documentation of the modules (learn.microsoft.com: Hyper-V, PnpDevice,
 * Microsoft.PowerShell.*). "=" takes a value, "?" may stand alone. */
static const char *const commands[][2] = {
    {"Set-StrictMode", "Version= Off"},
    {"Get-VMHost", "ComputerName="},
    {"Get-VM", "Name="},
    {"Get-VMSwitch", "Name= SwitchType="},
    {"New-VM", "Name= Generation= Path= NoVHD MemoryStartupBytes= SwitchName= VHDPath="},
    {"Set-VM",
     "Name= AutomaticCheckpointsEnabled= CheckpointType= StaticMemory MemoryStartupBytes= "
     "AutomaticStopAction= GuestControlledCacheTypes= LowMemoryMappedIoSpace= "
     "HighMemoryMappedIoSpace= Notes="},
    {"Set-VMMemory", "VMName= DynamicMemoryEnabled= StartupBytes="},
    {"Set-VMProcessor", "VMName= Count= ExposeVirtualizationExtensions="},
    {"Set-VMFirmware", "VMName= EnableSecureBoot= FirstBootDevice= BootOrder="},
    {"Set-VMVideo", "VMName= ResolutionType= HorizontalResolution= VerticalResolution="},
    {"Connect-VMNetworkAdapter", "VMName= SwitchName= Name="},
    {"New-VHD", "Path= SizeBytes= Dynamic Fixed"},
    {"Add-VMHardDiskDrive",
     "VMName= ControllerType= ControllerNumber= ControllerLocation= Path= DiskNumber="},
    {"Get-VMHardDiskDrive", "VMName= ControllerType="},
    {"Get-VMIntegrationService", "VMName= Name="},
    {"Enable-VMIntegrationService", "VMName= Name="},
    {"Get-PnpDevice", "PresentOnly InstanceId= Class="},
    {"Get-PnpDeviceProperty", "InstanceId= KeyName="},
    {"Disable-PnpDevice", "InstanceId= Confirm?"},
    {"Enable-PnpDevice", "InstanceId= Confirm?"},
    {"Dismount-VMHostAssignableDevice", "LocationPath= Force InstancePath="},
    {"Mount-VMHostAssignableDevice", "LocationPath= InstancePath="},
    {"Add-VMAssignableDevice", "VMName= LocationPath="},
    {"Remove-VMAssignableDevice", "VMName= LocationPath="},
    {"Where-Object", ""},
    {"Join-Path", "Path= ChildPath="},
    {"Test-Path", "LiteralPath= Path="},
    {"Resolve-Path", "LiteralPath= Path="},
    {"Write-Host", ""},
};

struct checker {
    const char *script;
    const char *at;
    const char *parameters; /* of the command being read; NULL outside one */
    const char *saved[DEPTH_MAX];
    char open[DEPTH_MAX];
    unsigned depth;
    bool needs_value; /* the last word was a parameter that takes one */
    bool starts;      /* a command or statement may begin here */
    char *complaint;
};

static bool complain(struct checker *checker, const char *what)
{
    unsigned line = 1;
    for (const char *at = checker->script; at < checker->at; at++) {
        line += *at == '\n';
    }
    snprintf(checker->complaint, COMPLAINT, "line %u: %s", line, what);
    return false;
}

static bool skip_quoted(struct checker *checker)
{
    char quote = *checker->at++;
    for (; *checker->at != '\0' && *checker->at != '\n'; checker->at++) {
        if (*checker->at != quote) {
            if (quote == '"' && (*checker->at == '$' || *checker->at == '`')) {
                return complain(checker, "a double-quoted string that expands something");
            }
            continue;
        }
        checker->at++;
        if (*checker->at != quote) {
            checker->starts = checker->needs_value = false;
            return true;
        }
    }
    return complain(checker, "a string that does not end on its line");
}

static bool end_statement(struct checker *checker)
{
    if (checker->needs_value) {
        return complain(checker, "a parameter without its value");
    }
    checker->parameters = NULL;
    checker->starts = true;
    return true;
}

static bool open_bracket(struct checker *checker)
{
    if (checker->depth == DEPTH_MAX) {
        return complain(checker, "too deep");
    }
    checker->saved[checker->depth] = checker->parameters;
    checker->open[checker->depth++] = *checker->at++;
    checker->parameters = NULL;
    checker->needs_value = false;
    checker->starts = true;
    return true;
}

static bool close_bracket(struct checker *checker)
{
    static const char *const pairs[] = {"()", "{}", "[]"};
    if (checker->depth == 0) {
        return complain(checker, "a closing bracket too many");
    }
    for (size_t i = 0; i < 3; i++) {
        if (pairs[i][1] == *checker->at && checker->open[checker->depth - 1] != pairs[i][0]) {
            return complain(checker, "brackets that do not pair");
        }
    }
    if (!end_statement(checker)) {
        return false;
    }
    checker->parameters = checker->saved[--checker->depth];
    checker->starts = false;
    checker->at++;
    return true;
}

/* "Name=" in the list of the command's parameters. */
static const char *find_parameter(const char *list, const char *name, size_t length)
{
    for (const char *at = list; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (strncmp(at, name, length) == 0 &&
            (word == length || strchr("=?", at[length]) != NULL)) {
            return at + length;
        }
        at += word + strspn(at + word, " ");
    }
    return NULL;
}

static bool is_operator(const char *word, size_t length)
{
    static const char *const operators[] = {"-not", "-eq", "-like", "-contains", "-and", "-or"};
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (strlen(operators[i]) == length && strncmp(word, operators[i], length) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_parameter(struct checker *checker, size_t length)
{
    const char *word = checker->at;
    if (is_operator(word, length)) {
        checker->at += length;
        return true;
    }
    if (checker->parameters == NULL) {
        return complain(checker, "a parameter that belongs to no command");
    }
    if (checker->needs_value) {
        return complain(checker, "a parameter without its value");
    }
    const char *kind = find_parameter(checker->parameters, word + 1, length - 1);
    if (kind == NULL) {
        return complain(checker, "a parameter that the command does not have");
    }
    checker->needs_value = *kind == '=';
    checker->at += length;
    if (*checker->at == ':') {
        checker->at++;
    }
    return true;
}

static bool read_command(struct checker *checker, size_t length)
{
    static const char *const keywords[] = {"if", "throw", "else"};
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (strlen(keywords[i]) == length && strncmp(checker->at, keywords[i], length) == 0) {
            checker->at += length;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strlen(commands[i][0]) == length && strncmp(checker->at, commands[i][0], length) == 0) {
            checker->parameters = commands[i][1];
            checker->starts = false;
            checker->at += length;
            return true;
        }
    }
    return complain(checker, "a command that is not in the table");
}

static bool read_word(struct checker *checker)
{
    size_t length = strcspn(checker->at, " \t\n(){}[];|'\"=:,");
    if (length == 0 || length > WORD_MAX) {
        return complain(checker, "a character that has no place here");
    }
    if (*checker->at == '-' && isalpha((unsigned char)checker->at[1])) {
        return read_parameter(checker, length);
    }
    bool name = isalpha((unsigned char)*checker->at);
    if (checker->starts && name) {
        return read_command(checker, length);
    }
    checker->at += length;
    checker->needs_value = false;
    if (!name || checker->parameters == NULL) {
        checker->starts = false;
    }
    return true;
}

static bool read_token(struct checker *checker)
{
    switch (*checker->at) {
    case '#': checker->at += strcspn(checker->at, "\n"); return true;
    case ' ':
    case '\t': checker->at++; return true;
    case '\n':
    case ';':
    case '|':
        if (!end_statement(checker)) {
            return false;
        }
        checker->at++;
        return true;
    case '=':
        checker->at++;
        checker->starts = true;
        return true;
    case '+':
    case ',': checker->at++; return true;
    case '\'':
    case '"': return skip_quoted(checker);
    case '(':
    case '{':
    case '[': return open_bracket(checker);
    case ')':
    case '}':
    case ']': return close_bracket(checker);
    default: return read_word(checker);
    }
}

bool powershell_check(const char *script, char *complaint)
{
    struct checker checker = {
        .script = script, .at = script, .complaint = complaint, .starts = true};
    while (*checker.at != '\0') {
        if (!read_token(&checker)) {
            return false;
        }
    }
    return checker.depth == 0 ? end_statement(&checker)
                              : complain(&checker, "a bracket that is never closed");
}
