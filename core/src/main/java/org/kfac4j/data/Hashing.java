package org.kfac4j.data;

/**
 * Counter-based random numbers: each is a function of its key alone, so any machine can compute any
 * of them in any order. The mixing function is the finaliser of SplitMix64 (Steele, Lea and Flood
 * 2014).
 */
public final class Hashing {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private Hashing() {}

  /** A bijection of 64-bit numbers whose output bits each depend on all input bits. */
  public static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** A key that depends on all of {@code parts} and their order. */
  public static long key(long... parts) {
    long key = GOLDEN;
    for (long part : parts) {
      key = mix(key + GOLDEN + mix(part + GOLDEN));
    }
    return key;
  }

  /** The {@code index}-th number of the stream {@code key}. */
  public static long at(long key, long index) {
    return mix(key + (index + 1) * GOLDEN);
  }

  /** The {@code index}-th number of the stream, uniform in [0, 1) with 53 random bits. */
  public static double uniform(long key, long index) {
    return (at(key, index) >>> 11) * 0x1p-53;
  }

  /** The {@code index}-th number of the stream, normal with mean 0 and variance 1 (Box–Muller). */
  public static double normal(long key, long index) {
    double radius = Math.sqrt(-2 * Math.log(1 - uniform(key, 2 * index)));
    return radius * Math.cos(2 * Math.PI * uniform(key, 2 * index + 1));
  }
}
