# SPDX-License-Identifier: BSD-3-Clause
# Reads Meson's testlog.txt and sums up the TAP lines of all tests. A test that crashed, timed out,
# ended early or printed no TAP and failed counts as one failure; exit status 77 as one skip. Lines
# `# note: TEXT` are shown also of tests that pass: what a test has found out.

function fail(what) {
    failed++
    print "not ok - " name ": " what
    show_output = 1
}

function finish_test() {
    if (name == "")
        return
    show_output = 0
    if (status == "exit status 77") {
        if (ok + not_ok == 0) {
            skipped++
            print "skipped - " name reason
        }
    } else if (ok + not_ok == 0 && planned <= 0) {
        if (status == "exit status 0" && planned < 0)
            passed++
        else if (status != "exit status 0")
            fail(status)
    } else if (planned >= 0 && ok + not_ok < planned) {
        fail("ran " (ok + not_ok) " of " planned " tests, " status)
    } else if (not_ok == 0 && status != "exit status 0") {
        fail(status)
    }
    if (show_output || not_ok > 0) {
        print "---- output of " name " (" status ")"
        printf "%s", output
        print "----"
    }
    name = ""
}

function start_test(test_name) {
    finish_test()
    name = test_name
    status = "no result"
    output = reason = ""
    ok = not_ok = 0
    planned = -1
    in_stdout = in_output = 0
}

/^test: / && !in_output         { sub(/^test: */, ""); start_test($0); next }
/^result: / && !in_output       { sub(/^result: */, ""); status = $0; next }
/^-+ stdout -+$/                { in_stdout = in_output = 1; next }
/^-+ stderr -+$/                { in_stdout = 0; in_output = 1; next }
/^=+( [0-9]+\/[0-9]+ =+)?$/     { in_stdout = in_output = 0; finish_test(); next }

in_output { output = output $0 "\n" }
in_stdout && /^[ \t]*1\.\.[0-9]+/ {
    sub(/^[ \t]*1\.\./, "")
    planned = (planned < 0 ? 0 : planned) + int($0)
    if ($0 ~ /SKIP/) {
        sub(/.*SKIP/, "")
        reason = ":" $0
    }
}
in_stdout && /^# note: / {
    print "note - " name ": " substr($0, 9)
}
in_stdout && /^ok/ {
    ok++
    if ($0 ~ /# *[Ss][Kk][Ii][Pp]/) {
        skipped++
        print "skipped - " name ": " $0
    } else
        passed++
}
in_stdout && /^not ok.*# SKIP/ {  # cmocka's way to say it
    ok++
    skipped++
    print "skipped - " name ": " substr($0, 8)
    next
}
in_stdout && /^not ok/ {
    not_ok++
    failed++
    print "not ok - " name ": " substr($0, 8)
}

END {
    finish_test()
    printf "%d passed, %d failed", passed, failed
    if (skipped)
        printf ", %d skipped", skipped
    printf "\n"
    exit((failed > 0 || passed == 0) ? 1 : 0)
}
