# Random streams of the flow kernel: xoshiro256++ seeded by splitmix64 (Blackman and Vigna),
# normals by Marsaglia's polar method.
cdef struct Rng:
    uint64_t a
    uint64_t b
    uint64_t c
    uint64_t d
    double spare
    bint has_spare


cdef inline uint64_t mixed(uint64_t z) noexcept:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu
    return z ^ (z >> 31)


cdef inline uint64_t rotated(uint64_t x, int k) noexcept:
    return (x << k) | (x >> (64 - k))


cdef inline void seed_stream(Rng* rng, uint64_t seed, uint64_t stream) noexcept:
    cdef uint64_t golden = 0x9E3779B97F4A7C15u
    cdef uint64_t z = mixed(seed + golden) ^ mixed(stream * golden)
    rng.a = mixed(z + golden)
    rng.b = mixed(z + 2 * golden)
    rng.c = mixed(z + 3 * golden)
    rng.d = mixed(z + 4 * golden)
    rng.has_spare = False


cdef inline double uniform(Rng* rng) noexcept:
    # Open interval: never 0 and never 1, so logarithms and powers are finite.
    cdef uint64_t drawn = rotated(rng.a + rng.d, 23) + rng.a
    cdef uint64_t t = rng.b << 17
    rng.c ^= rng.a
    rng.d ^= rng.b
    rng.b ^= rng.c
    rng.a ^= rng.d
    rng.c ^= t
    rng.d = rotated(rng.d, 45)
    return (<double>(drawn >> 12) + 0.5) * (1.0 / 4503599627370496.0)


cdef inline double normal(Rng* rng) noexcept:
    cdef double u, v, s
    if rng.has_spare:
        rng.has_spare = False
        return rng.spare
    while True:
        u = 2.0 * uniform(rng) - 1.0
        v = 2.0 * uniform(rng) - 1.0
        s = u * u + v * v
        if 0.0 < s < 1.0:
            break
    s = sqrt(-2.0 * log(s) / s)
    rng.spare = v * s
    rng.has_spare = True
    return u * s


cdef inline double exponential(Rng* rng) noexcept:
    return -log(uniform(rng))


cdef inline double sign(Rng* rng) noexcept:
    return 1.0 if uniform(rng) < 0.5 else -1.0


cdef inline double hashed(int64_t key) noexcept:
    # Uniform in [0, 1) and fixed for a key.
    return (mixed(<uint64_t>key * 0x9E3779B97F4A7C15u) >> 11) * (1.0 / 9007199254740992.0)
