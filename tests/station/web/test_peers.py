from hypothesis import given
from hypothesis import strategies as st

from station.clock import NS_PER_S
from station.web.peers import IN_ALL, PER_PEER, STRANGER_NS, Peers, peer_of

OWNER = "192.168.1.7"


def test_a_peer_is_an_address_or_the_network_that_one_host_has() -> None:
    assert peer_of("192.168.1.7") == "192.168.1.7"
    assert peer_of("::ffff:192.168.1.7") == "192.168.1.7"
    assert peer_of("::1") == peer_of("127.0.0.1")
    assert peer_of("fe80::1%eth0") == peer_of("fe80::abcd")
    assert peer_of("2001:db8::1") == peer_of("2001:db8::ffff:1") != peer_of("2001:db8:0:1::1")
    assert peer_of("no address") == "no address"


def test_thousands_of_idle_strangers_cut_each_other_and_nobody_else() -> None:
    peers = Peers()
    peers.arrive("operator", "10.0.0.1", 0)
    assert peers.know("operator")
    peers.arrive("owner", OWNER, 0)
    cut = [gone for number in range(1200) for gone in peers.arrive(number, "10.0.0.1", number)]
    assert cut == list(range(1200 - PER_PEER))
    assert len(peers) == PER_PEER + 1
    assert peers.know("owner")


def test_a_crowd_of_addresses_cuts_the_most_crowded_first() -> None:
    peers = Peers()
    peers.arrive("owner", OWNER, 0)
    for number in range(3 * IN_ALL):
        cut = peers.arrive(number, f"10.0.{number % 40}.1", number)
        assert "owner" not in cut
    assert len(peers) == IN_ALL
    assert peers.know("owner")


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3 * NS_PER_S)), max_size=300))
def test_whatever_comes_the_book_is_bounded_and_a_newcomer_gets_in(events: list[tuple[int, bool, int]]) -> None:
    peers, now_ns = Peers(per_peer=4, in_all=10), 0
    known: set[object] = set()
    for number, (address, knows, later_ns) in enumerate(events):
        now_ns += later_ns
        assert not known & set(peers.expired(now_ns))
        cut = peers.arrive(number, f"10.0.0.{address}", now_ns)
        assert number not in cut
        assert not known & set(cut)
        assert len(peers) <= 10
        if knows:
            assert peers.know(number)
            known.add(number)


def test_a_strangers_time_is_up_from_the_first_packet_on() -> None:
    peers = Peers()
    peers.arrive("slow", OWNER, 0)
    peers.arrive("operator", OWNER, 0)
    peers.know("operator")
    assert peers.expired(STRANGER_NS) == []
    assert peers.expired(STRANGER_NS + 1) == ["slow"]
    assert not peers.know("slow")
    assert (len(peers), peers.late) == (0, 1)


def test_who_left_is_forgotten_and_a_port_used_again_is_a_newcomer() -> None:
    peers = Peers(per_peer=2)
    peers.arrive("a", OWNER, 0)
    peers.leave("a")
    assert not peers.know("a")
    peers.arrive("a", OWNER, 0)
    peers.arrive("b", OWNER, 1)
    peers.arrive("a", OWNER, 2)
    assert peers.arrive("c", OWNER, 3) == ["b"]
