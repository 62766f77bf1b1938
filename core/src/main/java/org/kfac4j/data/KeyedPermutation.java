package org.kfac4j.data;

import org.kfac4j.Check;

/**
 * A pseudo-random permutation of [0, size) that is evaluated one element at a time, without a
 * table: a balanced Feistel network on the smallest even number of bits that covers the range,
 * walked until it lands inside (Black and Rogaway 2002).
 */
public final class KeyedPermutation {
  private static final int ROUNDS = 6;

  private final long size;
  private final int halfBits;
  private final long halfMask;
  private final long[] roundKeys = new long[ROUNDS];

  /**
   * @throws IllegalArgumentException if {@code size} is not in [1, 2⁶⁰]
   */
  public KeyedPermutation(long size, long key) {
    Check.that(
        size >= 1 && size <= 1L << 60, "a permutation needs 1 to 2^60 elements, got %d", size);
    this.size = size;
    int bits = 64 - Long.numberOfLeadingZeros(Math.max(size - 1, 1));
    this.halfBits = (bits + 1) / 2;
    this.halfMask = (1L << halfBits) - 1;
    for (int round = 0; round < ROUNDS; round++) {
      roundKeys[round] = Hashing.at(key, round);
    }
  }

  /** Where {@code element} goes; both in [0, size). */
  public long apply(long element) {
    long x = element;
    do {
      x = feistel(x);
    } while (x >= size);
    return x;
  }

  private long feistel(long x) {
    long left = x >>> halfBits;
    long right = x & halfMask;
    for (long roundKey : roundKeys) {
      long next = left ^ (Hashing.mix(right + roundKey) & halfMask);
      left = right;
      right = next;
    }
    return left << halfBits | right;
  }
}
