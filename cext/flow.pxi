# What the flow kernel is told and what it remembers; no code. Units: mmbot/adapters/sim/flow.py.
cdef enum:
    SUBSTEP_NS = 50_000_000
    MAX_LEVELS = 40
    MAX_TAKERS = 64
    MAX_CHUNK = 64
    ROWS_PER_SUBSTEP = 4 * (MAX_LEVELS + 1) + MAX_TAKERS + 4

cdef double DT = 0.05
cdef double LOWEST_BPS = -9000.0
cdef double NOISE_TOLERANCE_BPS = 60.0
cdef double NOISE_MAX_SIZE = 2000.0
cdef double MAKER_RETURN_PER_S = 0.5
cdef double QUEUE_RETURN_PER_S = 2.0
cdef double QUEUE_NOISE = 1.2
cdef double BOUNCE_PER_S = 4.0
cdef double DEEPER_SHARE = 0.7
cdef double DEEPER_GROWTH = 0.3
cdef double ONE_SIDED_S = 1.0
cdef double SNIPE_LOTS = 1e12

cdef struct Params:
    double price_ticks
    double ticks_per_bps
    double lots_per_unit
    double levels
    double sigma
    double volvol
    double vol_return
    double jump_rate
    double jump_mean
    double drift
    double reversion
    double alpha_sd
    double alpha_return
    double half_spread
    double half_spread_noise
    double half_spread_vol
    double bounce
    double depth
    double tilt
    double gap
    double maker_lag
    double noise_rate
    double noise_branching
    double noise_decay
    double noise_persistence
    double noise_min_size
    double noise_tail
    double informed_rate
    double informed_edge
    double informed_size
    double temporary_impact
    double permanent_impact
    double one_sided
    double crash_start
    double crash_fall
    double crash_s
    double rebound
    double rebound_s
    double crash_spread
    double crash_depth
    double reference_noise

# One side of the makers' book, best first. `x` is the price in ticks seen from outside: negated
# for bids, so that on both sides a greater x is a worse price.
cdef struct SideLevels:
    int64_t x[MAX_LEVELS + 1]
    int64_t lots[MAX_LEVELS + 1]
    int count
