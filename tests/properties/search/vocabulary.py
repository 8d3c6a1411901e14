"""The values that random documents and requests share."""

TAGS = ("red", "green", "blue", "Ünïcode", "日本", "", "a:b", "\U0001f600")
WORDS = tuple(f"w{n:02d}" for n in range(40))
TEXT = ("quick", "brown", "fox", "jumps", "over", "lazy", "dog", "Über", "köln", "東京")
EXTREMES = (-(2**63), 2**63 - 1, 2**62, 0, -1, 1, 2**53, 2**53 + 1, -(2**53), -(2**53) - 1)
WIDE = (-1.7976931348623157e308, 1.7976931348623157e308, 5e-324, 0.1, 0.0, -0.0, 1e-9, 123456.789)
IPS = ("10.0.0.1", "10.0.0.9", "10.1.0.0", "192.168.1.1", "::1", "2001:db8::ff", "255.255.255.255")
