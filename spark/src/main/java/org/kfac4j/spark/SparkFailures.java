package org.kfac4j.spark;

import java.util.function.Supplier;
import org.apache.spark.SparkException;
import org.kfac4j.InvalidInputException;
import org.kfac4j.optimizer.DivergedException;

/** Finds, inside what Spark throws when a job fails, what a task said to the user. */
final class SparkFailures {
  private SparkFailures() {}

  /**
   * Runs a Spark action.
   *
   * @throws InvalidInputException or {@link DivergedException} if that is why a task failed;
   *     anything else as it is
   */
  static <T> T unwrapped(Supplier<T> action) {
    try {
      return action.get();
    } catch (RuntimeException e) {
      throw meant(e, e);
    } catch (Exception e) {
      // Spark's Scala code throws SparkException without declaring it.
      throw meant(e, new IllegalStateException("a Spark job failed: " + firstLine(e), e));
    }
  }

  private static RuntimeException meant(Throwable thrown, RuntimeException otherwise) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof InvalidInputException || cause instanceof DivergedException) {
        return (RuntimeException) cause;
      }
    }
    return otherwise;
  }

  private static String firstLine(Throwable thrown) {
    Throwable root = thrown;
    while (root instanceof SparkException && root.getCause() != null) {
      root = root.getCause();
    }
    return String.valueOf(root.getMessage()).lines().findFirst().orElse(root.getClass().getName());
  }
}
