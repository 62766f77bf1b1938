package org.kfac4j.spark;

import java.io.IOException;
import java.io.Serializable;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.Examples;

/**
 * What came of reading a block: its examples, or what is wrong with them. A mistake in the user's
 * data is a value because Spark takes an exception for a failing machine: it would read again
 * elsewhere and log each attempt with its stack trace.
 */
public final class Reading implements Serializable {
  private static final long serialVersionUID = 1L;

  private final @Nullable Examples examples;
  private final @Nullable String failure;

  private Reading(@Nullable Examples examples, @Nullable String failure) {
    this.examples = examples;
    this.failure = failure;
  }

  /** Examples without a mistake. */
  public static Reading of(Examples examples) {
    return new Reading(examples, null);
  }

  /** What is wrong with the user's data, in one line. */
  public static Reading failed(String failure) {
    return new Reading(null, failure);
  }

  /** Examples {@code from} to {@code to} in blocks of {@code size}, up to the first mistake. */
  static Iterator<Reading> blocks(DataSource source, long from, long to, int size) {
    return new Iterator<>() {
      private long next = from;

      @Override
      public boolean hasNext() {
        return next < to;
      }

      @Override
      public Reading next() {
        if (!hasNext()) {
          throw new NoSuchElementException("no example at or after " + to);
        }
        long end = Math.min(next + size, to);
        Reading reading = read(source, next, end);
        next = reading.failure == null ? end : to;
        return reading;
      }
    };
  }

  private static Reading read(DataSource source, long from, long to) {
    try {
      return new Reading(source.read(from, to), null);
    } catch (InvalidInputException e) {
      return new Reading(null, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      return new Reading(null, source.name() + ": " + e.getMessage());
    }
  }

  /** What is wrong, empty if nothing is. */
  String failure() {
    return failure == null ? "" : failure;
  }

  int count() {
    return examples == null ? 0 : examples.count();
  }

  /**
   * @throws InvalidInputException if there are none
   */
  public Examples examples() {
    if (examples == null) {
      throw new InvalidInputException(failure());
    }
    return examples;
  }
}
