/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VNC viewer without a screen, for scripts: does one thing after the other.
 *
 *   vnc_do ADDRESS COMMAND...      ADDRESS: HOST:PORT, or the path of a socket
 *
 *   type TEXT          every character as a press and release of its symbol, as a viewer sends
 *                      it whose keyboard has it without any modifier
 *   us TEXT            the same for a US keyboard: Shift is held for what needs it; ASCII only
 *   symbols HEX...     symbols by number, each pressed and released; ends at the next command
 *   down HEX, up HEX   one symbol
 *   scan HEX...        scan codes (QEMU's extension), each pressed and released
 *   pointer X Y MASK   position in pixels and buttons
 *   resize W H         asks for another size of the screen
 *   await WxH          until the screen has this size
 *   picture FILE       a whole picture as a binary PPM
 *   do COMMAND         runs it in a shell while this viewer looks
 *   cursor FILE        waits for a pointer's shape; writes "WIDTH HEIGHT HOT_X HOT_Y" and
 *                      its pixels
 *
 * Exit status: 0; 1 when the server did not do its part in 30 seconds; 2 wrong usage.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <rfb/rfbclient.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "protocol/utf16.h"

enum { EXIT_SERVER = 1, EXIT_USAGE = 2, PATIENCE_SECONDS = 30, STEP_US = 100000, SHIFT = 0xffe1 };

/* Of the one viewer of this process. */
static struct {
    bool has_cursor, has_picture;
    int64_t area; /* pixels updated since a picture was asked for */
    int hot_x, hot_y, width, height;
} seen;

static _Noreturn void fail(int status, const char *what, const char *detail)
{
    fprintf(stderr, "vnc_do: %s%s%s\n", what, detail != NULL ? ": " : "",
            detail != NULL ? detail : "");
    exit(status);
}

/* ---- The client ---- */

static void take_cursor(rfbClient *client, int hot_x, int hot_y, int width, int height, int bytes)
{
    seen.has_cursor = width > 0 && height > 0;
    seen.hot_x = hot_x;
    seen.hot_y = hot_y;
    seen.width = width;
    seen.height = height;
}

static void take_update(rfbClient *client, int x, int y, int width, int height)
{
    seen.area += (int64_t)width * height;
    seen.has_picture = seen.area >= (int64_t)client->width * client->height;
}

static void say_nothing(const char *format, ...)
{
}

static rfbClient *connect_to(char *address)
{
    rfbClient *client = rfbGetClient(8, 3, 4);
    char *colon = strrchr(address, ':');
    rfbClientLog = say_nothing;
    if (client == NULL) {
        fail(EXIT_SERVER, "no memory", NULL);
    }
    client->serverPort = colon != NULL && strchr(colon, '/') == NULL ? atoi(colon + 1) : 0;
    if (client->serverPort != 0) {
        *colon = '\0';
    }
    free(client->serverHost);
    client->serverHost = strdup(address);
    client->appData.useRemoteCursor = TRUE;
    client->appData.encodingsString = "raw";
    client->canHandleNewFBSize = TRUE;
    client->GotCursorShape = take_cursor;
    client->GotFrameBufferUpdate = take_update;
    if (!rfbInitClient(client, NULL, NULL)) {
        fail(EXIT_SERVER, "cannot connect to", address);
    }
    return client;
}

/* What the library itself loses: the mask of a pointer that was replaced by another. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:HandleCursorShape";
}

/* The library leaves the picture and the pointer's shape to its user. */
static void disconnect(rfbClient *client)
{
    free(client->frameBuffer);
    free(client->rcSource);
    free(client->rcMask);
    rfbClientCleanup(client);
}

/* Takes messages until `*what` is true. */
static void await(rfbClient *client, const bool *what, const char *name)
{
    const time_t end = time(NULL) + PATIENCE_SECONDS;
    while (!*what) {
        if (time(NULL) > end) {
            fail(EXIT_SERVER, "did not come", name);
        }
        if ((client->buffered > 0 || WaitForMessage(client, STEP_US) > 0) &&
            !HandleRFBServerMessage(client)) {
            fail(EXIT_SERVER, "the server has gone", NULL);
        }
    }
}

/* A whole picture; with it, what was sent before has been taken by the server. */
static void take_picture(rfbClient *client)
{
    seen.has_picture = false;
    seen.area = 0;
    SendFramebufferUpdateRequest(client, 0, 0, client->width, client->height, FALSE);
    await(client, &seen.has_picture, "a picture");
}

/* ---- Commands ---- */

static void stroke(rfbClient *client, uint32_t symbol)
{
    SendKeyEvent(client, symbol, TRUE);
    SendKeyEvent(client, symbol, FALSE);
}

static uint32_t symbol_of(uint32_t character)
{
    if (character == '\n') {
        return 0xff0d;
    }
    return character < 0x100 ? character : 0x1000000 + character;
}

static void type_text(rfbClient *client, const char *text)
{
    while (*text != '\0') {
        stroke(client, symbol_of(utf8_take(&text)));
    }
}

static void type_us(rfbClient *client, const char *text)
{
    for (; *text != '\0'; text++) {
        const bool shifted = isupper((unsigned char)*text) ||
                             strchr("~!@#$%^&*()_+{}|:\"<>?", *text) != NULL;
        if (shifted) {
            SendKeyEvent(client, SHIFT, TRUE);
        }
        stroke(client, (unsigned char)*text);
        if (shifted) {
            SendKeyEvent(client, SHIFT, FALSE);
        }
    }
}

static bool number(const char *text, int base, uint32_t *value)
{
    char *end;
    *value = text != NULL ? (uint32_t)strtoul(text, &end, base) : 0;
    return text != NULL && end != text && *end == '\0';
}

static uint32_t wanted_number(char ***words, int base)
{
    uint32_t value;
    if (!number(**words, base, &value)) {
        fail(EXIT_USAGE, "a number is wanted", **words);
    }
    (*words)++;
    return value;
}

static char *wanted_word(char ***words)
{
    if (**words == NULL) {
        fail(EXIT_USAGE, "a word is missing", NULL);
    }
    return *(*words)++;
}

static void send_scans(rfbClient *client, char ***words)
{
    uint32_t scan;
    take_picture(client); /* the server's consent to scan codes comes with it */
    while (number(**words, 16, &scan)) {
        SendExtendedKeyEvent(client, 0, scan, TRUE);
        SendExtendedKeyEvent(client, 0, scan, FALSE);
        (*words)++;
    }
}

static void send_symbols(rfbClient *client, char ***words)
{
    uint32_t symbol;
    while (number(**words, 16, &symbol)) {
        stroke(client, symbol);
        (*words)++;
    }
}

static void await_size(rfbClient *client, const char *size)
{
    int width, height;
    const time_t end = time(NULL) + PATIENCE_SECONDS;
    if (sscanf(size, "%dx%d", &width, &height) != 2) {
        fail(EXIT_USAGE, "a size such as 1920x1080 is wanted", size);
    }
    while (client->width != width || client->height != height) {
        if (time(NULL) > end) {
            fail(EXIT_SERVER, "the screen does not become", size);
        }
        if ((client->buffered > 0 || WaitForMessage(client, STEP_US) > 0) &&
            !HandleRFBServerMessage(client)) {
            fail(EXIT_SERVER, "the server has gone", NULL);
        }
    }
}

static FILE *create(const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        fail(EXIT_USAGE, "cannot write", path);
    }
    return file;
}

static void write_picture(rfbClient *client, const char *path)
{
    take_picture(client);
    FILE *file = create(path);
    fprintf(file, "P6\n%d %d\n255\n", client->width, client->height);
    for (int i = 0; i < client->width * client->height; i++) {
        fwrite(client->frameBuffer + 4 * i, 3, 1, file); /* the library's own order: red first */
    }
    fclose(file);
}

/* Pixels as the library has them: four bytes, red first; what its mask leaves out is 00000000. */
static void write_cursor(rfbClient *client, const char *path)
{
    await(client, &seen.has_cursor, "a pointer's shape");
    FILE *file = create(path);
    fprintf(file, "%d %d %d %d\n", seen.width, seen.height, seen.hot_x, seen.hot_y);
    for (int i = 0; i < seen.width * seen.height; i++) {
        const uint8_t *pixel = client->rcSource + 4 * i;
        const bool shown = client->rcMask[i] != 0;
        fprintf(file, "%02x%02x%02x%02x%c", shown ? pixel[0] : 0, shown ? pixel[1] : 0,
                shown ? pixel[2] : 0, shown ? 0xff : 0, (i + 1) % seen.width == 0 ? '\n' : ' ');
    }
    fclose(file);
}

static void run_command(rfbClient *client, const char *command, char ***words)
{
    if (strcmp(command, "type") == 0) {
        type_text(client, wanted_word(words));
    } else if (strcmp(command, "us") == 0) {
        type_us(client, wanted_word(words));
    } else if (strcmp(command, "symbols") == 0) {
        send_symbols(client, words);
    } else if (strcmp(command, "down") == 0 || strcmp(command, "up") == 0) {
        SendKeyEvent(client, wanted_number(words, 16), command[0] == 'd');
    } else if (strcmp(command, "scan") == 0) {
        send_scans(client, words);
    } else if (strcmp(command, "pointer") == 0) {
        const uint32_t x = wanted_number(words, 10), y = wanted_number(words, 10);
        SendPointerEvent(client, (int)x, (int)y, (int)wanted_number(words, 0));
    } else if (strcmp(command, "resize") == 0) {
        const uint32_t width = wanted_number(words, 10);
        take_picture(client); /* with it comes the server's consent */
        SendExtDesktopSize(client, (uint16_t)width, (uint16_t)wanted_number(words, 10));
    } else if (strcmp(command, "await") == 0) {
        await_size(client, wanted_word(words));
    } else if (strcmp(command, "picture") == 0) {
        write_picture(client, wanted_word(words));
    } else if (strcmp(command, "cursor") == 0) {
        write_cursor(client, wanted_word(words));
    } else if (strcmp(command, "do") == 0) {
        if (system(wanted_word(words)) != 0) {
            fail(EXIT_USAGE, "the command failed", NULL);
        }
    } else {
        fail(EXIT_USAGE, "no such command", command);
    }
}

/* Nothing more is said; when the server ends the connection it has taken all that was. Closed at
 * once, with an update unread, the last events would be lost. */
static void finish(rfbClient *client)
{
    char buffer[4096];
    struct pollfd news = {client->sock, POLLIN, 0};
    shutdown(client->sock, SHUT_WR);
    for (ssize_t size = 1; size != 0;) {
        if (poll(&news, 1, PATIENCE_SECONDS * 1000) != 1) {
            fail(EXIT_SERVER, "the server does not end the connection", NULL);
        }
        size = read(client->sock, buffer, sizeof(buffer));
        if (size < 0 && errno != EAGAIN && errno != EINTR) {
            fail(EXIT_SERVER, "the connection broke", strerror(errno));
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fail(EXIT_USAGE, "usage: vnc_do ADDRESS COMMAND...", NULL);
    }
    rfbClient *client = connect_to(argv[1]);
    for (char **words = argv + 2; *words != NULL;) {
        const char *command = *words++;
        run_command(client, command, &words);
    }
    finish(client);
    disconnect(client);
    return 0;
}
