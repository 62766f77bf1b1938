package org.kfac4j.data;

import java.io.Serializable;
import org.kfac4j.Check;

/**
 * Which examples are visited: {@code count} consecutive places, from {@code start}, of an endless
 * sequence in which every epoch is a fresh keyed permutation of all {@code size} examples. Whether
 * an example is in the batch depends on (seed, start, id) alone, not on where it is stored. Because
 * the order is random, the first n places of a batch are a random subset of it.
 *
 * @param size number of examples N there are
 * @param seed of the permutations
 * @param start place of the first visit; place p is in epoch ⌊p / N⌋
 * @param count number of visits; an example is visited twice if they span more than an epoch
 */
public record Batch(long size, long seed, long start, long count) implements Serializable {
  public Batch {
    Check.that(size >= 1, "a batch needs a data set with examples, got size %d", size);
    Check.that(
        start >= 0 && count >= 1,
        "a batch needs start >= 0 and count >= 1, got %d and %d",
        start,
        count);
  }

  /** Every example once. */
  public static Batch everything(long size) {
    return new Batch(size, 0, 0, size);
  }

  /**
   * The random subset of the first {@code fraction} of this batch, at least one example, rounded to
   * the nearest number.
   *
   * @param fraction in (0, 1]
   */
  public Batch subset(double fraction) {
    Check.that(
        fraction > 0 && fraction <= 1, "a fraction of a batch must be in (0, 1], got %s", fraction);
    return new Batch(size, seed, start, Math.max(1, Math.round(fraction * count)));
  }

  /** The batch of {@code nextCount} examples after this one. */
  public Batch next(long nextCount) {
    return new Batch(size, seed, start + count, nextCount);
  }

  /** Answers for one example after the other where in the batch it is; keys are prepared once. */
  public Visits visits() {
    return new Visits(this);
  }

  /** Places of examples in a batch. Not thread-safe. */
  public static final class Visits {
    private final Batch batch;
    private final long firstEpoch;
    private final KeyedPermutation[] permutations;

    private Visits(Batch batch) {
      this.batch = batch;
      this.firstEpoch = batch.start / batch.size;
      long lastEpoch = (batch.start + batch.count - 1) / batch.size;
      this.permutations = new KeyedPermutation[Math.toIntExact(lastEpoch - firstEpoch + 1)];
      for (int i = 0; i < permutations.length; i++) {
        permutations[i] = new KeyedPermutation(batch.size, Hashing.key(batch.seed, firstEpoch + i));
      }
    }

    /** Number of epochs that the batch touches, usually 1 or 2. */
    public int epochs() {
      return permutations.length;
    }

    /** Which epoch of the endless sequence the {@code index}-th of this batch is. */
    public long epoch(int index) {
      return firstEpoch + index;
    }

    /**
     * The place, in [0, count), of the visit to example {@code id} in the {@code epoch}-th epoch of
     * this batch, or −1 if there is none.
     */
    public long place(long id, int epoch) {
      long place = (firstEpoch + epoch) * batch.size + permutations[epoch].apply(id) - batch.start;
      return place >= 0 && place < batch.count ? place : -1;
    }
  }
}
