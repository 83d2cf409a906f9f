# SPDX-License-Identifier: BSD-3-Clause
"""Turns font.txt into C: font.py FONT OUTPUT. Adds the letters of Latin 1 that have accents."""
import sys
import unicodedata

ROWS = 16
X_HEIGHT = 5  # first row of small letters without a stem

# By the combining character: rows from where the accent begins, above capitals.
ACCENTS = {
    0x300: ['..#.....', '...#....'],
    0x301: ['....#...', '...#....'],
    0x302: ['...##...', '..#..#..'],
    0x303: ['..##.#..', '.#.##...'],
    0x308: ['..#..#..', '........'],
    0x30A: ['...##...', '...##...'],
}
CEDILLA, CEDILLA_ROW = 0x327, 12
CEDILLA_ROWS = ['....#...', '.....#..', '...##...']


def row_value(text):
    return int(text.replace('.', '0').replace('#', '1'), 2)


def read_sheet(path):
    glyphs, codes, row = {}, [], 0
    for line in open(path, encoding='ascii'):
        words = line.split()
        if not words or line.startswith('# '):
            continue
        if words[0].startswith('U+'):
            codes, row = [int(word[2:], 16) for word in words], 0
            glyphs.update({code: [] for code in codes})
            continue
        if len(words) != len(codes) or any(len(word) != 8 for word in words):
            sys.exit(f'{path}: row {row} below U+{codes[0]:04X} has other columns')
        for code, word in zip(codes, words):
            glyphs[code].append(row_value(word))
        row += 1
    for code, rows in glyphs.items():
        if len(rows) != ROWS:
            sys.exit(f'{path}: U+{code:04X} has {len(rows)} rows instead of {ROWS}')
    return glyphs


def with_accent(base, letter, accent):
    rows = list(base)
    if accent == CEDILLA:
        first, drawn = CEDILLA_ROW, CEDILLA_ROWS
    else:
        first, drawn = (2, ACCENTS[accent]) if letter.islower() else (0, ACCENTS[accent])
        if letter in 'ij':
            rows[:X_HEIGHT] = [0] * X_HEIGHT  # the accent takes the place of the dot
    for offset, text in enumerate(drawn):
        rows[first + offset] |= row_value(text)
    return rows


def add_accented(glyphs):
    for code in range(0xC0, 0x100):
        parts = unicodedata.normalize('NFD', chr(code))
        if code not in glyphs and len(parts) == 2:
            glyphs[code] = with_accent(glyphs[ord(parts[0])], parts[0], ord(parts[1]))


def main():
    glyphs = read_sheet(sys.argv[1])
    add_accented(glyphs)
    with open(sys.argv[2], 'w', encoding='ascii') as out:
        out.write('/* SPDX-License-Identifier: BSD-3-Clause */\n'
                  '/* Made from font.txt by font.py. */\n'
                  '#include "xnu/console/font.h"\n\n'
                  'const struct font_glyph font_glyphs[] = {\n')
        for code in sorted(glyphs):
            rows = ', '.join(f'0x{row:02x}' for row in glyphs[code])
            out.write(f'    {{0x{code:04x}, {{{rows}}}}},\n')
        out.write('};\n'
                  'const unsigned font_glyph_count = sizeof font_glyphs / sizeof font_glyphs[0];\n')


main()
