"""Which addresses lie in the internet, and which IPv4 address one of IPv6 carries inside. Others than those of the internet are
reached by nothing that somebody from outside names."""

import ipaddress
from urllib.parse import urlsplit

NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: IPv4 addresses inside
TRANSLATED = [  # the whole of IPv4 in the last 32 bits: RFC 4291 (mapped), RFC 2765, RFC 6052, RFC 8215
    ipaddress.ip_network("::ffff:0:0/96"), ipaddress.ip_network("::ffff:0:0:0/96"), NAT64, ipaddress.ip_network("64:ff9b:1::/48"),
]  # fmt: skip
ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214: before an IPv4 address, in any net
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given out
NEVER = [  # not in the internet, or led on to who knows where, whatever the version of Python says of them
    ipaddress.ip_network(net)
    for net in (
        "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2002::/16", "2001::/23", "fec0::/10", "100::/64", "100:0:0:1::/64",
        "3ffe::/16", "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "3fff::/20", "5f00::/16", "2001:db8::/32", "192.88.99.0/24", "192.0.0.0/24", "198.18.0.0/15",
    )
]  # fmt: skip


def is_public(address: str) -> bool:
    """Whether it lies in the internet, and so does the IPv4 address that it may carry inside."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if (
        not ip.is_global or ip.is_multicast or any(ip in net for net in NEVER)
    ):  # a net of the other version holds nothing
        return False
    if ip.version == 4:
        return True
    number = int(ip)
    if ip not in GLOBAL_UNICAST and ip not in NAT64 and not ip.ipv4_mapped:
        return False
    if ip.ipv4_mapped or ip in NAT64 or number >> 32 & 0xFFFFFFFF in ISATAP:
        return is_public(str(ipaddress.IPv4Address(number & 0xFFFFFFFF)))
    return True


def caller(address: str) -> str:
    """The address by which somebody who calls is counted. What stands for one address of IPv4 is that address: else all of IPv4
    would be one network (translated by a server in front of ours), or one address a whole network (6to4, Teredo)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 4:
        return str(ip)
    if any(ip in net for net in TRANSLATED):
        return str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    teredo = ip.teredo
    return str(ip.sixtofour or (teredo and teredo[1]) or ip)


def is_plainly_private(url: str) -> bool:
    """Whether an address names this machine or a private network itself. What a name stands for is looked up at each call."""
    host = urlsplit(url).hostname or ""
    try:
        return not is_public(host)
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")
