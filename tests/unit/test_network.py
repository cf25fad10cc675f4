"""Every fault of a network file is told at once, in words and with where; the rest is read as it stands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.embedded.servers import ServerAddresses
from engine.errors import BadInput, BadNetworkFile
from engine.network import Colours, Limits, Network, Policy, load, read_slugs
from engine.words import HouseSlug

ROOT = Path(__file__).parents[2]
EXERCISES = ("network.example.toml",)
POLICY = """
[policies.shared]
fees = "none"
refunds = "none"
delivery = "by e-mail"
"""
Write = Callable[..., Path]


def house(slug: str = "zeewind", /, *, without: str = "", **values: str) -> str:
    """A `[[houses]]` table that is right, but for `values` (as TOML) and what is left out."""
    lines = {
        "slug": f'"{slug}"',
        "name": '"Concertzaal Zeewind"',
        "redis_url": f'"redis://{slug}:secret-r@redis-{slug}:6379"',
        "postgres_dsn": f'"postgresql://house_{slug}:secret-p@postgres:5432/house_{slug}"',
        "operator_contact": '"ops@zeewind.example"',
        "policy": '"shared"',
    }
    lines |= values
    return "[[houses]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if key != without)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*parts: str) -> Path:
        path = tmp_path / "network.toml"
        path.write_text('name = "Kust & Polder"\n' + POLICY + "".join(parts), encoding="utf-8")
        return path

    return write


def problems_of(path: Path) -> tuple[str, ...]:
    with pytest.raises(BadNetworkFile) as caught:
        load(path)
    assert "secret-" not in str(caught.value) + str(caught.value.problems)
    return caught.value.problems


def addresses(*slugs: str) -> dict[HouseSlug, ServerAddresses]:
    return {
        HouseSlug(slug): ServerAddresses(
            redis_url=f"unix://{slug}:secret@/run/{slug}/redis.sock",
            redis_owner_url=f"unix://default:secret@/run/{slug}/redis.sock",
            postgres_dsn=f"postgresql://house_{slug}:secret@/house_{slug}?host=/run/postgres",
            secrets_path=Path(f"/run/{slug}/secrets"),
        )
        for slug in slugs
    }


def test_a_house_says_little_and_the_rest_has_defaults(write: Write, tmp_path: Path) -> None:
    network = load(write(house()))
    assert isinstance(network, Network)
    assert network.name == "Kust & Polder"
    zeewind = network.house("zeewind")
    assert zeewind.redis_owner_url == zeewind.redis_url == "redis://zeewind:secret-r@redis-zeewind:6379"
    assert zeewind.secrets_path == tmp_path / "secrets/zeewind"
    assert zeewind.policy == Policy(fees="none", refunds="none", delivery="by e-mail")
    assert (zeewind.limits, zeewind.colours, zeewind.listed) == (Limits(), Colours(), False)


def test_every_field_is_read_as_it_stands(write: Write) -> None:
    text = house(
        languages='["fr", "nl"]',
        colours='{ primary = "#102030" }',
        redis_owner_url='"rediss://default:o@redis-zeewind"',
        secrets_path='"/run/secrets/zeewind"',
        allowed_origins='["https://www.zeewind.example", "http://localhost:8080"]',
        return_addresses='["https://www.zeewind.example/tickets?from=parvis"]',
        listed="true",
        policy='{ fees = "f", refunds = "r", delivery = "d" }',
    )
    zeewind = load(write(text, "[houses.limits]\nbatch = 20\nbody_bytes = 1_000\n")).houses[0]
    assert zeewind.languages == ("fr", "nl")
    assert zeewind.colours == Colours(primary="#102030")
    assert zeewind.redis_owner_url == "rediss://default:o@redis-zeewind"
    assert zeewind.secrets_path == Path("/run/secrets/zeewind")
    assert zeewind.allowed_origins == ("https://www.zeewind.example", "http://localhost:8080")
    assert zeewind.return_addresses == ("https://www.zeewind.example/tickets?from=parvis",)
    assert zeewind.listed
    assert zeewind.policy == Policy(fees="f", refunds="r", delivery="d")
    assert zeewind.limits == Limits(batch=20, body_bytes=1_000)


def test_variables_come_from_the_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "a${b}c")
    monkeypatch.setenv("REGION", "kust")
    path = write(house(redis_url='"redis://zeewind:${REDIS_PASSWORD}@redis.${REGION}"'))
    assert load(path).houses[0].redis_url == "redis://zeewind:a${b}c@redis.kust"


def test_a_variable_that_is_not_set_is_one_fault(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOBODY_SETS_THIS", raising=False)
    path = write(
        house(
            redis_url='"redis://zeewind:${NOBODY_SETS_THIS}@redis"',
            allowed_origins='["https://${NOBODY_SETS_THIS}"]',
        )
    )
    assert problems_of(path) == (
        "house zeewind, redis_url: the environment has no NOBODY_SETS_THIS",
        "house zeewind, allowed_origins: the environment has no NOBODY_SETS_THIS",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            house("Zeewind"),
            "house 1, slug: a slug is made of a-z, 0-9 and inner hyphens, at most 40 characters",
        ),
        (house(slug="7"), "house 1, slug: Expected `str`, got `int`"),
        (house(without="name"), 'house zeewind: "name" is missing'),
        (house(name='" "'), "house zeewind, name: it says nothing"),
        (house(without="redis_url"), 'house zeewind: "redis_url" is missing'),
        (house(without="policy"), 'house zeewind: "policy" is missing'),
        (house(langauges='["nl"]'), 'house zeewind: unknown key "langauges"; did you mean "languages"?'),
        (
            house(languages='["nl", "es"]'),
            'house zeewind, languages: there are no pages in "es" (there are: nl, fr, de, en)',
        ),
        (
            house(time_zone='"Europe/Brussel"'),
            'house zeewind, time_zone: there is no time zone "Europe/Brussel"; did you mean Europe/Brussels?',
        ),
        (house(languages="[]"), "house zeewind, languages: at least one language, and each once"),
        (
            house(colours='{ primary = "red" }'),
            'house zeewind, colours, primary: "red" is not a colour; write #rrggbb',
        ),
        (
            house(colours='{ acent = "#102030" }'),
            'house zeewind, colours: unknown key "acent"; did you mean "accent"?',
        ),
        (house(colours='"#102030"'), "house zeewind, colours: a table is expected here"),
        (
            house(redis_url='"http://zeewind:secret-r@redis"'),
            (
                "house zeewind, redis_url: "
                "A Redis URL reads redis://host:port, rediss://host:port or unix:///path/redis.sock."
            ),
        ),
        (
            house(postgres_dsn='"mysql://house:secret-p@db/house"'),
            "house zeewind, postgres_dsn: a Postgres DSN reads postgresql://role:password@host:port/database",
        ),
        (
            house(postgres_dsn='"postgresql://house:secret-p@db:high/house"'),
            "house zeewind, postgres_dsn: a Postgres DSN reads postgresql://role:password@host:port/database",
        ),
        (
            house(allowed_origins='["https://zeewind.example/"]'),
            (
                'house zeewind, allowed_origins: "https://zeewind.example/" is not an origin; '
                "write https://www.example.org, without anything behind it"
            ),
        ),
        (
            house(return_addresses='["javascript:alert(1)"]'),
            (
                'house zeewind, return_addresses: "javascript:alert(1)" is not an address of a web page; '
                "write https://www.example.org/tickets"
            ),
        ),
        *(
            (
                house(return_addresses=f'["{odd}"]'),
                (
                    f'house zeewind, return_addresses: "{odd}" could be read in two ways; write it plainly, '
                    "without // or .. in its path, and a host with other letters by its xn-- name"
                ),
            )
            for odd in ("https://www.müller.example/a", "https://a.example/b/../c", "https://a.example/b%2fc")
        ),
        (
            house(webhooks_to='["10.1.2.3/8"]'),
            (
                'house zeewind, webhooks_to: "10.1.2.3/8" is neither an address nor a network; '
                "write 10.1.2.3 or 10.1.2.0/24"
            ),
        ),
        (house(listed='"yes"'), "house zeewind, listed: Expected `bool`, got `str`"),
        (
            house(policy='"sharde"'),
            'house zeewind, policy: no policy is called "sharde"; did you mean "shared"?',
        ),
        (house(policy='{ fees = "f", refunds = "r" }'), 'house zeewind, policy: "delivery" is missing'),
        (house(limits="{ batch = 0 }"), "house zeewind, limits, batch: Expected `int` >= 1"),
        (
            house(limits="{ redis_timeout = 9 }"),
            'house zeewind, limits: unknown key "redis_timeout"; did you mean "redis_timeout_ms"?',
        ),
        (
            house() + house("klinker", slug='"zeewind"', secrets_path='"other"'),
            "house zeewind: it has the same slug as house zeewind; each has its own",
        ),
        (
            house() + house("klinker", postgres_dsn='"postgres://house_klinker@postgres/house_zeewind"'),
            "house klinker: it has the same Postgres database as house zeewind; each has its own",
        ),
        (
            house() + house("klinker", postgres_dsn='"postgres://house_zeewind@postgres/house_klinker"'),
            "house klinker: it has the same Postgres role as house zeewind; each has its own",
        ),
        (
            house() + house("klinker", redis_url='"redis://zeewind:x@redis-zeewind"'),
            "house klinker: it has the same user on the same Redis as house zeewind; each has its own",
        ),
        (
            house() + house("klinker", secrets_path='"secrets/zeewind"'),
            "house klinker: it has the same folder of secrets as house zeewind; each has its own",
        ),
        ("", "the file: a network has houses, each in its own [[houses]]"),
    ],
)
def test_one_fault_is_told_once_and_exactly(write: Write, text: str, problem: str) -> None:
    assert problems_of(write(text)) == (problem,)


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "network.toml"
    broken = house("klinker", postgres_dsn='"klinker"', operator_contact="7", policy='"shared"')
    path.write_text("region = 'kust'\n[policies.shared]\nfees = 'f'\n" + house(nam="1", without="name") + broken)
    assert problems_of(path) == (
        'the file: unknown key "region" (there are: name, operator_keys, trusted_proxies, policies, houses)',
        'the file: "name" is missing',
        'policy shared: "refunds" is missing',
        'policy shared: "delivery" is missing',
        'house zeewind: unknown key "nam"; did you mean "name"?',
        'house zeewind: "name" is missing',
        "house klinker, postgres_dsn: a Postgres DSN reads postgresql://role:password@host:port/database",
        "house klinker, operator_contact: Expected `str`, got `int`",
    )


@pytest.mark.parametrize(("told", "count"), [("", 0), ("trusted_proxies = 0\n", 0), ("trusted_proxies = 2\n", 2)])
def test_no_proxy_is_trusted_unless_the_file_says_so(tmp_path: Path, told: str, count: int) -> None:
    path = tmp_path / "network.toml"
    path.write_text(f"name = 'Kust'\n{told}{POLICY}{house()}")
    assert load(path).trusted_proxies == count


@pytest.mark.parametrize("told", ["-1", "9", "true", "1.0", '"1"'])
def test_a_count_of_proxies_is_a_small_number(tmp_path: Path, told: str) -> None:
    path = tmp_path / "network.toml"
    path.write_text(f"name = 'Kust'\ntrusted_proxies = {told}\n{POLICY}{house()}")
    assert problems_of(path) == ("trusted_proxies: how many proxies stand before every process, 0 to 8",)


def test_a_file_that_is_missing_or_no_toml_is_a_fault_too(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "none.toml") == ("the file cannot be read: No such file or directory",)
    path = tmp_path / "network.toml"
    path.write_text("name = \n")
    (problem,) = problems_of(path)
    assert problem.startswith("the file is not TOML: Invalid value (at line 1")


def test_embedded_servers_stand_in_for_addresses(write: Write) -> None:
    text = house(without="redis_url", postgres_dsn='"postgresql://x:${NOBODY_SETS_THIS}@y/z"')
    servers = addresses("zeewind")
    zeewind = load(write(text), servers=servers).house("zeewind")
    expected = servers[HouseSlug("zeewind")]
    assert (zeewind.redis_url, zeewind.redis_owner_url) == (expected.redis_url, expected.redis_owner_url)
    assert (zeewind.postgres_dsn, zeewind.secrets_path) == (expected.postgres_dsn, expected.secrets_path)


def test_embedded_servers_do_not_excuse_a_house_that_they_do_not_serve(write: Write) -> None:
    with pytest.raises(BadNetworkFile) as caught:
        load(write(house(without="redis_url")), servers=addresses("klinker"))
    assert caught.value.problems == ('house zeewind: "redis_url" is missing',)


def test_the_slugs_can_be_read_before_there_are_servers(write: Write) -> None:
    assert read_slugs(write(house(without="redis_url"), house("klinker"))) == ("zeewind", "klinker")
    with pytest.raises(BadNetworkFile) as caught:
        read_slugs(write(house(), house(), house("Klinker")))
    assert caught.value.problems == (
        "house 3, slug: a slug is made of a-z, 0-9 and inner hyphens, at most 40 characters",
        "house zeewind: it has the same slug as house zeewind; each has its own",
    )


def test_a_house_that_is_not_there_is_told_with_a_near_one(write: Write) -> None:
    with pytest.raises(BadInput, match="has no house 'zewind'; did you mean 'zeewind'"):
        load(write(house())).house("zewind")


def test_cannot_print_a_houses_passwords(write: Write) -> None:
    assert "secret" not in repr(load(write(house())))


def test_the_demo_network_is_right(tmp_path: Path) -> None:
    path = ROOT / "engine/cli/demo_network.toml"
    slugs = read_slugs(path)
    assert slugs == ("zeewind", "gulden-masker", "klinker")
    network = load(path, servers=addresses(*slugs))
    assert [house.name for house in network.houses] == [
        "Concertzaal Zeewind",
        "Schouwburg Het Gulden Masker",
        "Club Klinker",
    ]
    assert all(house.listed for house in network.houses)


def test_the_example_network_is_right_and_shows_the_limits_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for house_name in ("ZEEWIND", "KLINKER"):
        for secret in ("REDIS", "REDIS_OWNER", "POSTGRES"):
            monkeypatch.setenv(f"{house_name}_{secret}_PASSWORD", "secret")
    network = load(ROOT / "deploy/network.example.toml")
    assert [house.slug for house in network.houses] == ["zeewind", "klinker"]
    assert network.house("zeewind").limits == Limits()


KEY_HASH = "0" * 64


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("", ()),
        ("operator_keys = []", ()),
        (f'operator_keys = ["{KEY_HASH}"]', (KEY_HASH,)),
        ('operator_keys = ["${OPERATOR_KEY_HASH}"]', (KEY_HASH,)),
    ],
)
def test_operators_are_named_by_what_their_keys_hash_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, keys: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OPERATOR_KEY_HASH", KEY_HASH)
    path = tmp_path / "network.toml"
    path.write_text(f'name = "Test"\n{line}\n{POLICY}{house()}')
    assert load(path).operator_keys == keys


@pytest.mark.parametrize(
    "line", ['["po_a-key-itself"]', f'"{KEY_HASH}"', f'["{KEY_HASH[1:]}"]', "[1]", '["${NOT_SET}"]']
)
def test_a_key_itself_in_the_file_is_a_fault(tmp_path: Path, line: str) -> None:
    path = tmp_path / "network.toml"
    path.write_text(f'name = "Test"\noperator_keys = {line}\n{POLICY}{house()}')
    with pytest.raises(BadNetworkFile) as refused:
        load(path)
    (problem,) = refused.value.problems
    assert problem.startswith("operator_keys: ")


def luminance(colour: str) -> float:
    """Relative luminance. Source: WCAG 2.2."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_colours_of_the_demo_can_be_read(tmp_path: Path) -> None:
    path = ROOT / "engine/cli/demo_network.toml"
    for house in load(path, servers=addresses(*read_slugs(path))).houses:
        colours = house.colours
        for colour in (colours.text, colours.primary, colours.accent):
            darker, lighter = sorted((luminance(colour), luminance(colours.background)))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (house.slug, colour)
