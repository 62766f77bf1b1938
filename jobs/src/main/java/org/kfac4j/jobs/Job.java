package org.kfac4j.jobs;

import java.util.concurrent.Callable;
import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.spark.SparkUserAppException;
import org.kfac4j.InvalidInputException;
import org.kfac4j.optimizer.DivergedException;
import picocli.CommandLine;

/**
 * Runs a job's command line and turns how it ended into an exit code: 0 done, 2 bad configuration
 * or input, 3 diverged, 4 a check of verify failed, 1 anything else. The code leaves through
 * spark-submit by the exception that Spark has for it; nothing calls System.exit inside the
 * application.
 */
final class Job {
  static final int FAILED = 1;
  static final int BAD_INPUT = 2;
  static final int DIVERGED = 3;
  static final int NOT_VERIFIED = 4;

  private Job() {}

  /** Parses {@code args} into {@code command} and runs it. */
  static void run(Callable<Integer> command, String... args) throws SparkUserAppException {
    int code = exitCode(command, args);
    if (code != 0) {
      throw new SparkUserAppException(code);
    }
  }

  /** As {@link #run}, but returns the exit code. */
  static int exitCode(Callable<Integer> command, String... args) {
    CommandLine line = new CommandLine(command);
    line.setParameterExceptionHandler(
        (exception, arguments) -> {
          System.err.println("error: " + exception.getMessage() + " (--help explains)");
          return BAD_INPUT;
        });
    line.setExecutionExceptionHandler((exception, failed, parsed) -> report(exception));
    return line.execute(args);
  }

  private static int report(Exception exception) {
    if (exception instanceof InvalidInputException) {
      System.err.println("error: " + exception.getMessage());
      return BAD_INPUT;
    }
    if (exception instanceof DivergedException) {
      System.err.println("diverged: " + exception.getMessage());
      return DIVERGED;
    }
    if (ShutdownHookManager.get().isShutdownInProgress()) {
      // Spark's own hook stops it, and whatever was running fails.
      System.err.println("interrupted");
      return FAILED;
    }
    System.err.println("failed: " + exception);
    org.slf4j.LoggerFactory.getLogger(Job.class).error("the job failed", exception);
    return FAILED;
  }
}
