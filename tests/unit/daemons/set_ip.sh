#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# set_ip.sh SOURCE-ROOT: what set-ip asks of macOS's networksetup. Both that and ioreg are the test's own here, and answer
# in the form of macOS's.
set -u
script=$1/daemons/launchd/set-ip
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0 failures=0

cat >"$folder/ioreg" <<'END'
#!/bin/sh
cat <<'REGISTRY'
+-o HyperVVMBusDevice  <class HyperVVMBusDevice>
  | {
  |   "HVInstance" = "0b1e0000-1111-2222-3333-444455556666"
  | }
  +-o en0  <class IOEthernetInterface>
      {
        "BSD Name" = "en0"
      }
+-o HyperVVMBusDevice  <class HyperVVMBusDevice>
  | {
  |   "HVInstance" = "f8615163-df3e-46c5-913f-f2d2f965ed0e"
  | }
  +-o en1  <class IOEthernetInterface>
      {
        "BSD Name" = "en1"
      }
REGISTRY
END
cat >"$folder/networksetup" <<'END'
#!/bin/sh
if [ "$1" = -listnetworkserviceorder ]; then
    printf '%s\n' 'An asterisk (*) denotes that a network service is disabled.' '(1) Ethernet' \
        '(Hardware Port: Ethernet, Device: en0)' '' '(2) Ethernet 2' '(Hardware Port: Ethernet Adaptor, Device: en1)'
    exit
fi
for word; do printf '[%s]' "$word"; done >>"$CALLS"
echo >>"$CALLS"
[ "$1" != "${REFUSES-}" ]
END
chmod +x "$folder/ioreg" "$folder/networksetup"

# asks NAME STATUS CALLS LINE...: set-ip, given the lines, ends with the status and has made the calls
asks() {
    title=$1 wanted=$2 calls=$3
    shift 3
    number=$((number + 1))
    : >"$folder/calls"
    printf '%s\n' "$@" | CALLS=$folder/calls PATH=$folder:$PATH sh "$script" 2>/dev/null
    status=$?
    if [ $status -eq "$wanted" ] && [ "$(cat "$folder/calls")" = "$calls" ]; then
        echo "ok $number - $title"
    else
        echo "not ok $number - $title"
        echo "# status $status; $(tr '\n' ';' <"$folder/calls")"
        failures=$((failures + 1))
    fi
}
second='adapter={F8615163-DF3E-46C5-913F-F2D2F965ED0E}'

asks 'an address, its mask and gateway' 0 '[-setmanual][Ethernet 2][10.0.0.5][255.0.0.0][10.0.0.1]' \
    "$second" dhcp=0 addresses=10.0.0.5 subnets=255.0.0.0 gateways=10.0.0.1 dns=
asks 'the adapter by its instance' 0 '[-setmanual][Ethernet][10.0.0.5][255.0.0.0][]' \
    'adapter={0B1E0000-1111-2222-3333-444455556666}' addresses=10.0.0.5 subnets=255.0.0.0
asks 'DHCP' 0 '[-setdhcp][Ethernet 2]' "$second" dhcp=1 addresses= subnets=
asks 'name servers, several' 0 '[-setdhcp][Ethernet 2]
[-setdnsservers][Ethernet 2][10.0.0.1][10.0.0.2]' "$second" dhcp=1 'dns=10.0.0.1;10.0.0.2'
asks 'both families, each with its own mask and gateway' 0 '[-setmanual][Ethernet 2][10.0.0.5][255.0.0.0][10.0.0.1]
[-setv6manual][Ethernet 2][fd00::5][64][fd00::1]' \
    "$second" 'addresses=fd00::5;10.0.0.5' 'subnets=/64;255.0.0.0' 'gateways=fd00::1;10.0.0.1'
asks 'an adapter that is not there' 2 '' 'adapter={00000000-0000-0000-0000-000000000000}' dhcp=1
asks 'no adapter' 2 '' dhcp=1
asks 'what is no address' 1 '' "$second" 'addresses=$(touch x)' subnets=255.0.0.0
asks 'a name server that would be a pattern' 1 '' "$second" dhcp=1 'dns=*'
asks 'an option in place of an address' 1 '' "$second" addresses=-setdhcp
asks 'names that nobody knows are passed over' 0 '[-setdhcp][Ethernet 2]' "$second" PATH=/nowhere IFS=x dhcp=1
export REFUSES=-setdhcp
asks 'a refusal of networksetup is one of ours' 1 '[-setdhcp][Ethernet 2]' "$second" dhcp=1
echo "1..$number"
[ $failures -eq 0 ]
